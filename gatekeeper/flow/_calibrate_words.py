"""What a calibration found, in words that say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.model.policy import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatekeeper.flow._moving import Moving
    from gatekeeper.flow._related import Related
    from gatekeeper.flow.calibrate import Calibration
    from gatekeeper.model.policy import Policy

DAY_S = 86_400.0


def warnings(found: Calibration, policy: Policy) -> Iterator[str]:
    """Yield what could mislead the judge, most harmful first."""
    rate = found.false_rollback
    if rate.lower > found.budget:
        yield (
            f"false rollbacks are {rate.value:.1%} [{rate.lower:.1%}, {rate.upper:.1%}], above the stage's budget of "
            f"{found.budget:.2%}: requests are related in a way the samples do not tell, see below"
        )
    for relation in found.related:
        if relation.by == "cluster_id":
            yield _clusters(relation, found, policy)
    for relation in found.related:
        if relation.by == "time":
            yield _in_time(relation, found)
    for move in found.moving:
        yield _moves(move)
    for relation in found.related:
        if relation.by not in {"cluster_id", "time"} and relation.by not in policy.segments:
            yield _segments(relation)


def _clusters(relation: Related, found: Calibration, policy: Policy) -> str:
    """Say what clusters do."""
    told = ""
    if found.per_request is not None:
        told = f" (judged per request, {found.per_request.value:.1%} of these splits would be rolled back)"
    advice = "The judge counts a cluster once while cluster_id is given: keep giving it, and split traffic by that key"
    if policy.unit is Unit.REQUEST:
        advice = (
            "The policy says `unit: request`: that holds while each request is drawn by lot by itself; where users "
            "stay in one arm, take it out"
        )
    return (
        f"{relation.metric}: requests of one cluster_id are alike: correlation {relation.correlation:.2g}, "
        f"{relation.size:.1f} requests a cluster, so that each tells as much as 1/{relation.design_effect:.1f} of an "
        f"independent one{told}. {advice}"
    )


def _in_time(relation: Related, found: Calibration) -> str:
    """Say what relations in time may come from."""
    seen = (
        f"{relation.metric}: requests close in time are alike: sums of {relation.size:.0f} neighbours vary "
        f"{relation.design_effect:.1f} times as much as independent requests'"
    )
    if found.clusters:
        return (
            f"{seen}, beyond what their cluster_id explains: the ids may be too fine (a request or turn in place of a "
            f"user or conversation), or load and single replicas come and go: run several replicas an arm, and a "
            f"control arm beside the canary"
        )
    return (
        f"{seen}, and no sample names a cluster_id, so that these splits, by request, cannot show what that does: if a "
        f"user or conversation sends several requests, give cluster_id; if load or single replicas come and go, run "
        f"several replicas an arm and a control arm beside the canary"
    )


def _moves(move: Moving) -> str:
    """Say how a metric moves, and what keeps it from misleading."""
    unit = "%" if move.relative else "pp"
    if move.relative:
        span = f"between {move.low:+.0%} and {move.high:+.0%} of its middle"
    else:
        span = f"between {move.low:.2%} and {move.high:.2%}"
    shape = "irregularly"
    if move.period_s is not None:
        shape = f"with a period of about {duration(move.period_s)}, by {move.size * 100:.2g} {unit} up and down"
    elif move.trend:
        shape = "steadily one way"
    return (
        f"{move.metric}: the baseline itself moves {shape}, {span} ({move.ratio:.1f} times the variance of independent "
        f"requests): never compare with earlier samples, only with a baseline (or control) that runs at the same time, "
        f"and let a stage last through {'a whole period' if move.period_s is not None else 'such moves'}"
    )


def _segments(relation: Related) -> str:
    """Say that segments differ."""
    return (
        f"{relation.metric} differs between segments ({relation.by}, {relation.groups} of them, correlation "
        f"{relation.correlation:.2g}): if their mix may differ between the arms, add `segments: [{relation.by}]` to "
        f"the policy, so that like is compared with like"
    )


def duration(seconds: float) -> str:
    """Return a duration as people say it."""
    for unit, size in (("days", DAY_S), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
