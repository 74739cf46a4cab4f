"""The verdict in one sentence: what it is, what decides it, and how long it may still take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.model.rollout import RolloutState

if TYPE_CHECKING:
    from gatekeeper.model.rollout import Rollout

_ENDS = {
    RolloutState.PROMOTED: "Promoted",
    RolloutState.ROLLED_BACK: "Rolled back",
    RolloutState.ABORTED: "Aborted",
}
_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3_600.0, 86_400.0


def pace(stages: dict[str, Any], stage: int, elapsed_s: float | None) -> float | None:
    """Return the samples a second that the stage has compared so far, both arms; None while nobody can tell."""
    folded = sum(arm["folded"] for arm in stages.get(str(stage), {}).values())
    return folded / elapsed_s if elapsed_s and folded else None


def of(rollout: Rollout, report: dict[str, Any] | None, per_s: float | None) -> str:
    """Return the sentence, `Hold: refusal_rate is up ...; about 12 min at this traffic`."""
    if rollout.state in _ENDS:
        return f"{_ENDS[rollout.state]}: {rollout.reason}"
    if not rollout.settled:
        share = rollout.split_wanted.candidate_bp / 100
        return f"Hold: waits until the gateways show stage {rollout.stage + 1} (candidate {share:g} %)"
    if rollout.paused:
        return f"Paused: {rollout.reason}"
    word = str(report["verdict"]).capitalize() if report else "Hold"
    if word == "Promote" and report and rollout.reason not in report["reasons"]:
        word = "Hold"
    wait_s = _missing_s(report, per_s)
    return f"{word}: {rollout.reason}" + (f"; about {_duration(wait_s)} at this traffic" if wait_s else "")


def _missing_s(report: dict[str, Any] | None, per_s: float | None) -> float | None:
    findings = report["findings"] if report and report["verdict"] == "hold" else []
    needed = max((finding["samples_needed"] or 0 for finding in findings), default=0)
    return needed / per_s if needed and per_s else None


def _duration(wait_s: float) -> str:
    if wait_s < _MINUTE_S:
        return f"{max(wait_s, 1):.0f} s"
    if wait_s < _HOUR_S:
        return f"{wait_s / _MINUTE_S:.0f} min"
    return f"{wait_s / _HOUR_S:.1f} h" if wait_s < _DAY_S else f"{wait_s / _DAY_S:.1f} days"
