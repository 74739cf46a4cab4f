"""Webhooks in: each source proves itself, and its events are obeyed before it hears a 2xx."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request

from gatekeeper import registry
from gatekeeper.adapters.sources import Source
from gatekeeper.api.caller import TheApp
from gatekeeper.api.guard import bearer
from gatekeeper.api.ingest import Raw
from gatekeeper.errors import AccessError, NotFoundError
from gatekeeper.flow import hooks, keys
from gatekeeper.model.hook import Delivery
from gatekeeper.model.key import Scope
from gatekeeper.model.wire import to_dict
from gatekeeper.wiring import App

routes = APIRouter(prefix="/v1/hooks", tags=["hooks"])


async def the_delivery(request: Request, body: Raw) -> Delivery:
    """Return the request as it came, its header names in lower case."""
    return Delivery(headers={name.lower(): value for name, value in request.headers.items()}, body=body)


@routes.post("/{source}")
def take_hook(app: TheApp, source: str, delivery: Annotated[Delivery, Depends(the_delivery)]) -> dict[str, Any]:
    """Take a delivery: firing alerts and signed events roll back what they name, each once.

    The answer says what came of each event: rolled_back, duplicate, resolved, unmatched or nothing_running.
    """
    known = registry.names("adapters.sources")
    if source not in known:
        raise NotFoundError(f"no webhook source {source!r}; known: {', '.join(known)}")
    plugin = cast("Source", registry.load("adapters.sources", source))
    if not (plugin.TAKES_KEYS and _has_key(app, delivery)):
        plugin.verify(delivery, _secret(app, plugin), app.clock.now())
    events = plugin.parse(delivery)
    with app.unit() as unit:
        outcomes = hooks.receive(unit, source, events)
    rolled_back = sorted({rollout for outcome in outcomes for rollout in outcome.rollouts})
    return {"rolled_back": rolled_back, "events": [to_dict(outcome) for outcome in outcomes]}


def _secret(app: App, plugin: Source) -> str:
    return app.settings.hook_token if plugin.TAKES_KEYS else app.settings.hook_secret


def _has_key(app: App, delivery: Delivery) -> bool:
    """Tell whether the delivery carries an API key that may roll back."""
    try:
        token = bearer(delivery.headers.get("authorization", ""))
        with app.read() as unit:
            key = keys.authenticate(unit, token)
    except AccessError:
        return False
    return key.scope.covers(Scope.OPERATOR)
