"""Gates that the server runs: an evalset put to two deployments by its workers."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from gatekeeper.api.caller import OPERATE, VIEW, TheApp, TheCaller
from gatekeeper.api.catalog import policy_text
from gatekeeper.api.schemas import GateBody
from gatekeeper.flow import trials
from gatekeeper.model.trial import Trial
from gatekeeper.model.wire import to_dict

routes = APIRouter(prefix="/v1/gates", tags=["gates"])


@routes.post("", dependencies=[OPERATE], status_code=202)
def create_gate(app: TheApp, caller: TheCaller, body: GateBody, response: Response) -> dict[str, Any]:
    """Begin a gate; its workers ask both deployments, and `GET /v1/gates/{id}` tells how it goes."""
    with app.unit() as unit:
        trial = trials.begin(
            unit,
            service=body.service,
            policy_text=policy_text(body.policy),
            policy_file=body.policy_file,
            evalset=body.evalset,
            candidate=body.candidate,
            baseline=body.baseline,
            actor=caller.actor,
            patience_s=body.patience_s,
            evalsets=app.evalsets,
        )
    response.headers["location"] = f"/v1/gates/{trial.id}"
    return _shown(trial)


@routes.get("", dependencies=[VIEW])
def list_gates(app: TheApp, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> dict[str, Any]:
    """List gates, newest first, without their reports."""
    with app.read() as unit:
        return {"gates": [_shown(trial) | {"report": None} for trial in unit.trials.list(limit=limit)]}


@routes.get("/{gate_id}", dependencies=[VIEW])
def show_gate(app: TheApp, gate_id: str) -> dict[str, Any]:
    """Show a gate: where it stands, its exit code once it has ended, and its latest report in the published shape."""
    with app.read() as unit:
        return _shown(unit.trials.get(gate_id))


def _shown(trial: Trial) -> dict[str, Any]:
    """Return a gate without its policy's text."""
    plain = to_dict(trial)
    del plain["policy_text"]
    return plain | {"exit_code": trial.state.exit_code}
