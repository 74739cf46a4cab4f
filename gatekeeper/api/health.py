"""Is it alive, can it work, and how is it doing."""

from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from gatekeeper.api.caller import VIEW, TheApp
from gatekeeper.model.rollout import RolloutState

routes = APIRouter(tags=["health"])

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@routes.get("/healthz")
def is_alive() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@routes.get("/readyz")
def is_ready(app: TheApp) -> dict[str, str]:
    """Say that the store answers and has this version's tables; 503 with the reason when not."""
    app.store.check()
    return {"status": "ready"}


@routes.get("/openapi.json", dependencies=[VIEW], include_in_schema=False)
def show_openapi(request: Request) -> dict[str, Any]:
    """Return the API's description."""
    plain: dict[str, Any] = request.app.openapi()
    return plain


@routes.get("/metrics", dependencies=[VIEW], response_class=PlainTextResponse)
def show_metrics(app: TheApp, request: Request) -> PlainTextResponse:
    """Return figures in Prometheus' text format."""
    with app.read() as unit:
        rollouts = unit.rollouts.list()
        jobs, outbox = unit.jobs.counts(), unit.outbox.counts()
    states = Counter(rollout.state for rollout in rollouts)
    unsettled = sum(1 for rollout in rollouts if not rollout.settled)
    lines = [
        *_family("gatekeeper_rollouts", "gauge", "Rollouts by state.", "state", {s: states[s] for s in RolloutState}),
        *_family("gatekeeper_jobs", "gauge", "Jobs by state; a dead one needs a look.", "state", jobs),
        *_family("gatekeeper_outbox_items", "gauge", "Webhooks owed to the world, by state.", "state", outbox),
        *_single("gatekeeper_rollouts_unsettled", "gauge", "Rollouts whose split the world does not show.", unsettled),
        *_single(
            "gatekeeper_exchange_lines_refused_total",
            "counter",
            "Lines sent to /v1/exchanges that could not be understood, in this process.",
            request.app.state.refused_lines,
        ),
    ]
    return PlainTextResponse("\n".join(lines) + "\n", media_type=_METRICS_TYPE)


def _family(name: str, kind: str, told: str, label: str, values: dict[Any, int]) -> list[str]:
    rows = [f'{name}{{{label}="{key}"}} {value}' for key, value in values.items()]
    return [f"# HELP {name} {told}", f"# TYPE {name} {kind}", *rows]


def _single(name: str, kind: str, told: str, value: int) -> list[str]:
    return [f"# HELP {name} {told}", f"# TYPE {name} {kind}", f"{name} {value}"]
