"""Rollouts: create, list, show, and what people may do to them."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.params import Depends as DependsType

from gatekeeper.api import view
from gatekeeper.api.caller import APPROVE, OPERATE, STOP, VIEW, TheApp, TheCaller
from gatekeeper.api.catalog import policy_text
from gatekeeper.api.schemas import ReasonBody, RolloutBody
from gatekeeper.errors import ConflictError, InputError, NotFoundError
from gatekeeper.flow import override, rollouts
from gatekeeper.model.rollout import Rollout, RolloutState

routes = APIRouter(prefix="/v1/rollouts", tags=["rollouts"])

IfMatch = Annotated[str | None, Header(alias="if-match")]
Repeat = Annotated[str | None, Header(alias="idempotency-key", min_length=1, max_length=200)]

_ACTIONS: dict[str, tuple[Callable[..., Rollout], DependsType]] = {
    "pause": (override.pause, STOP),
    "resume": (override.resume, STOP),
    "approve": (override.approve, APPROVE),
    "promote": (override.promote, APPROVE),
    "skip": (override.skip, APPROVE),
    "abort": (override.abort, OPERATE),
    "rollback": (override.rollback, STOP),
}


@routes.post("", dependencies=[OPERATE], status_code=201)
def create_rollout(
    app: TheApp, caller: TheCaller, body: RolloutBody, response: Response, idempotency_key: Repeat = None
) -> dict[str, Any]:
    """Begin a rollout; nothing is stored when the policy has faults. A repeated Idempotency-Key finds the first one."""
    text, rollout_id = policy_text(body.policy), body.id
    if idempotency_key and not rollout_id:
        rollout_id = "r-" + hashlib.sha256(f"{caller.key.id}\n{idempotency_key}".encode()).hexdigest()[:16]
    with app.unit() as unit:
        if idempotency_key and rollout_id and (known := _find(unit.rollouts.get, rollout_id)):
            if (known.service, known.candidate_id, known.policy_text) != (body.service, body.candidate, text):
                raise ConflictError(f"this Idempotency-Key made rollout {known.id} from another body: use a new key")
            rollout = known
        else:
            rollout = rollouts.create(
                unit,
                service=body.service,
                policy_text=text,
                policy_file=body.policy_file,
                candidate=body.candidate,
                baseline=body.baseline,
                actor=caller.actor,
                rollout_id=rollout_id,
                evalsets=app.evalsets,
            )
        response.headers["etag"] = _etag(rollout)
        response.headers["location"] = f"/v1/rollouts/{rollout.id}"
        return view.screen(unit, rollout)


@routes.get("", dependencies=[VIEW])
def list_rollouts(
    app: TheApp, service: str | None = None, state: RolloutState | None = None, limit: int = 100
) -> dict[str, Any]:
    """List rollouts, newest first, of one service or in one state when asked."""
    with app.read() as unit:
        found = unit.rollouts.list(running=state is RolloutState.RUNNING)
        wanted = [rollout for rollout in found if service in {None, rollout.service} and state in {None, rollout.state}]
        return {"rollouts": [view.row(rollout, unit.clock.now()) for rollout in wanted[: max(limit, 0)]]}


@routes.get("/{rollout_id}", dependencies=[VIEW])
def show_rollout(app: TheApp, rollout_id: str, response: Response) -> dict[str, Any]:
    """Show all that a review needs: rollout, stages, shares, counts, latest report and the verdict's sentence."""
    with app.read() as unit:
        rollout = unit.rollouts.get(rollout_id)
        response.headers["etag"] = _etag(rollout)
        return view.screen(unit, rollout)


def _add_action(name: str, act: Callable[..., Rollout], allowed: DependsType) -> None:
    def endpoint(
        app: TheApp,
        caller: TheCaller,
        rollout_id: str,
        response: Response,
        body: ReasonBody | None = None,
        if_match: IfMatch = None,
        idempotency_key: Repeat = None,
    ) -> dict[str, Any]:
        reason = body.reason if body else ""
        with app.unit() as unit:
            repeat = f"{caller.key.id}:{rollout_id}:{name}:{idempotency_key}"
            if idempotency_key and not unit.webhooks.remember("idempotency", repeat, {}):
                rollout = unit.rollouts.get(rollout_id)
            else:
                rollout = act(unit, rollout_id, actor=caller.actor, reason=reason, if_match=_version(if_match))
            response.headers["etag"] = _etag(rollout)
            return view.screen(unit, rollout)

    endpoint.__doc__ = (act.__doc__ or "").splitlines()[0]
    routes.add_api_route(
        f"/{{rollout_id}}/{name}", endpoint, methods=["POST"], dependencies=[allowed], name=f"{name}_rollout"
    )


for _name, (_act, _allowed) in _ACTIONS.items():
    _add_action(_name, _act, _allowed)


def _etag(rollout: Rollout) -> str:
    return f'"{rollout.version}"'


def _version(if_match: str | None) -> int | None:
    """Return the version an If-Match header names; None when it names none or any."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit()):
        raise InputError(f"If-Match: {if_match!r} is no version; send the ETag of the rollout, such as '\"7\"'")
    return int(text)


def _find(get: Callable[[str], Rollout], rollout_id: str) -> Rollout | None:
    try:
        return get(rollout_id)
    except NotFoundError:
        return None
