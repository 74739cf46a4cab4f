"""Who is who: the store, the actuator, the job handlers and the sinks, put together from settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from celery import Celery

from gatekeeper.adapters.actuators.gateway import GatewayActuator
from gatekeeper.adapters.alerts.webhook import Sink
from gatekeeper.adapters.broker import make_celery
from gatekeeper.adapters.clock import HostClock
from gatekeeper.adapters.evalset_shelf import EvalsetShelf
from gatekeeper.adapters.http_engine import HttpEngine
from gatekeeper.adapters.scorers import OwnScorers
from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.adapters.waker import CeleryWaker
from gatekeeper.flow.grade import grade
from gatekeeper.flow.intake import SCORE
from gatekeeper.flow.questions import ASK, ask
from gatekeeper.flow.work import Outside
from gatekeeper.ports import Actuator, Clock, Evalsets
from gatekeeper.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.flow.work import Handler
    from gatekeeper.model.arm import Arm
    from gatekeeper.model.release import Deployment
    from gatekeeper.ports import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Hold what the entrances share."""

    settings: Settings
    store: SqlStore
    celery: Celery
    waker: CeleryWaker
    actuator: Actuator
    alerts: Sink
    clock: Clock
    evalsets: Evalsets

    def unit(self) -> Unit:
        """Return a fresh transaction."""
        return self.store.unit()

    def read(self) -> Unit:
        """Return a fresh transaction that only reads."""
        return self.store.unit(readonly=True)

    def close(self) -> None:
        """Close the sinks and the store's connections."""
        self.alerts.close()
        self.store.dispose()


def make_app(settings: Settings) -> App:
    """Put an app together; opens no connection yet.

    Raises:
        InputError: the database URL is of no kind we know.
    """
    store = SqlStore(settings.database_url)
    celery = make_celery(settings.broker_url)
    clock = HostClock()
    return App(
        settings=settings,
        store=store,
        celery=celery,
        waker=CeleryWaker(celery),
        actuator=GatewayActuator(store.unit),
        alerts=Sink(clock, allow_private=settings.webhook_allow_private),
        clock=clock,
        evalsets=EvalsetShelf(settings.evalsets_dir),
    )


def handlers(settings: Settings) -> Mapping[str, Handler]:
    """Return what a worker does for each kind of job."""

    def reach(deployment: Deployment, arm: Arm) -> HttpEngine:
        return HttpEngine(deployment.url, name=str(arm), model=deployment.model, api_key=settings.engine_api_key)

    asks = partial(ask, evalsets=EvalsetShelf(settings.evalsets_dir), endpoints=reach, clock=HostClock())
    return {SCORE: partial(grade, own=OwnScorers()), ASK: Outside(asks)}
