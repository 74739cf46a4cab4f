"""What a rollout's standing rests on: reports, findings, samples, pairs, the audit, and events as they happen."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from gatekeeper.api import events, view
from gatekeeper.api.caller import VIEW, TheApp
from gatekeeper.flow import stored
from gatekeeper.model.finding import VerdictKind
from gatekeeper.model.sample import Sample
from gatekeeper.model.wire import sample_to_dict, to_dict

routes = APIRouter(prefix="/v1/rollouts/{rollout_id}", tags=["evidence"], dependencies=[VIEW])

Most = Annotated[int, Query(ge=1, le=1000)]
StageIndex = Annotated[int | None, Query(ge=0)]


@routes.get("/report")
def show_report(app: TheApp, rollout_id: str, stage: StageIndex = None) -> dict[str, Any]:
    """Return the latest report of the current stage (or of `stage`), in the report's published shape.

    Before the first look it holds and says so: nothing measured is no good news.
    """
    with app.read() as unit:
        rollout = unit.rollouts.get(rollout_id)
        look = view.latest(unit, rollout, stage)
    if look is not None:
        report: dict[str, Any] = look["report"]
        return report
    return {
        "verdict": VerdictKind.HOLD.value,
        "judge": "none",
        "policy_digest": rollout.policy_digest,
        "decided_at": None,
        "reasons": ["nothing was measured in this stage yet"],
        "findings": [],
        "checks": [],
    }


@routes.get("/reports")
def list_reports(app: TheApp, rollout_id: str, stage: StageIndex = None, limit: Most = 200) -> dict[str, Any]:
    """List the looks' reports, newest first: {stage, epoch, look, ts, report} each."""
    with app.read() as unit:
        rollout = unit.rollouts.get(rollout_id)
        return {"reports": list(unit.tallies.reports(rollout.id, stage, limit))}


@routes.get("/findings")
def list_findings(app: TheApp, rollout_id: str, stage: StageIndex = None) -> dict[str, Any]:
    """List the findings of the latest report."""
    return {"findings": show_report(app, rollout_id, stage)["findings"]}


@routes.get("/samples")
def show_samples(app: TheApp, rollout_id: str, stage: StageIndex = None, limit: Most = 100) -> dict[str, Any]:
    """Count the samples by stage and arm, and show those that wait to be compared, oldest first."""
    with app.read() as unit:
        rollout = unit.rollouts.get(rollout_id)
        index = rollout.stage if stage is None else stage
        waiting = unit.samples.unfolded(rollout.id, index, rollout.epoch, limit)
        return {
            "counts": unit.samples.counts(rollout.id),
            "waiting": [{"row": number} | to_dict(sample) for number, sample in waiting],
        }


@routes.get("/samples.jsonl", response_class=StreamingResponse)
def stream_samples(
    app: TheApp, rollout_id: str, stage: StageIndex = None, after: Annotated[int, Query(ge=0)] = 0
) -> StreamingResponse:
    """Stream all samples of the rollout (or of `stage`), one a line in the sample's published shape, as stored.

    Each line has its `row` and its `stage`'s index besides; `after` goes on behind a row, when a stream broke.
    """
    pages = stored.pages(app.read, rollout_id, stage, after)
    return StreamingResponse(map(_lines, pages), media_type="application/x-ndjson")


def _lines(page: Sequence[tuple[int, int, Sample]]) -> bytes:
    plain = ({"row": row, **sample_to_dict(sample), "stage": str(index)} for row, index, sample in page)
    return b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in plain)


@routes.get("/pairs")
def list_pairs(app: TheApp, rollout_id: str, limit: Most = 50) -> dict[str, Any]:
    """List mirrored pairs, most telling first."""
    with app.read() as unit:
        rollout = unit.rollouts.get(rollout_id)
        return {"pairs": list(unit.exchanges.pairs(rollout.id, limit))}


@routes.get("/audit")
def list_audit(app: TheApp, rollout_id: str) -> dict[str, Any]:
    """List every transition in order, chained by hash; `version` is the one the rollout stands at."""
    with app.read() as unit:
        rollout = unit.rollouts.get(rollout_id)
        entries = unit.audit.entries(rollout.id)
        return {"rollout_id": rollout.id, "version": rollout.version, "entries": [to_dict(entry) for entry in entries]}


@routes.get("/events", response_class=StreamingResponse)
def watch_rollout(app: TheApp, request: Request, rollout_id: str) -> StreamingResponse:
    """Stream what changes as server-sent events, `state` each, and `end` after the rollout has ended."""
    with app.read() as unit:
        unit.rollouts.get(rollout_id)
    return StreamingResponse(
        events.changes(app, rollout_id, poll_s=request.app.state.poll_s),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
