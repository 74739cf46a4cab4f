"""What a policy takes at a given traffic: samples and time by stage and metric, and what it cannot show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatekeeper.decide import power
from gatekeeper.decide.advance import BAKE_HOLDBACK_BP
from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.power import Setting, Typical
from gatekeeper.errors import InputError
from gatekeeper.flow._typical import typicals
from gatekeeper.model.policy import OnUndecided, StageKind
from gatekeeper.model.split import WHOLE_BP

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gatekeeper.decide.columns import Columns
    from gatekeeper.decide.plan import StagePlan, Stream
    from gatekeeper.model.policy import Policy, Stage

MOST_SAMPLES = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Say what one question of a stage takes; samples are of both arms together, None: never, or not by traffic.

    expects: the baseline's value in `own_unit`, None unknown; margin, catch and smallest are in `unit`. catch: harm
    that should be caught. smallest: harm that nine in ten times shows by the stage's deadline. late: its mean time to
    promotion is past the deadline.
    """

    name: str
    test: str
    expects: float | None
    source: str
    margin: float | None
    unit: str
    own_unit: str
    promote_samples: float | None
    promote_s: float | None
    catch: float
    catch_samples: float | None
    catch_s: float | None
    smallest: float | None
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StageForecast:
    """Say what a stage takes. candidate_per_s: requests (pairs) a second, None where traffic does not tell.

    most_samples: what its deadline lets come, both arms together. half_s and most_s: half, and nine in ten, of equal
    candidates are proven by then. proven: the share of equal candidates proven by the deadline.
    """

    index: int
    title: str
    kind: str
    paired: bool
    candidate_per_s: float | None
    most_samples: float | None
    deadline_s: float | None
    half_s: float | None
    most_s: float | None
    proven: float | None
    late: bool
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Hold the plan of a policy; cannot: what it cannot prove or will not in time, with what mends it."""

    policy: str
    rps: float
    stages: tuple[StageForecast, ...]
    half_s: float | None
    cannot: tuple[str, ...]
    assumed: tuple[str, ...]


def forecast(
    policy: Policy,
    *,
    rps: float,
    rates: Mapping[str, tuple[float, float | None]] | None = None,
    baseline: Columns | None = None,
) -> Forecast:
    """Work out what a policy takes at `rps` requests a second, of which a holdout leaves the rest to be compared.

    rates: what is told of the baseline, by metric; baseline: samples of it. Else what is usual is assumed.

    Raises:
        InputError: rps is not above 0; a rate of no metric of the policy.
    """
    if not rps > 0:
        raise InputError(f"rps is {rps:g}; expected more than 0 requests a second")
    plan = compile_policy(policy)
    judged = [stream for layout in plan.stages for stream in layout.streams if stream.judged]
    known = typicals(judged, rates or {}, baseline)
    held_bp = policy.cohorts.holdout_bp if policy.cohorts is not None else 0
    drawn = rps * (WHOLE_BP - held_bp) / WHOLE_BP
    stages = tuple(
        _stage(index, stage, layout, known, drawn)
        for index, (stage, layout) in enumerate(zip(policy.stages or (None,), plan.stages, strict=True))
    )
    halves = [stage.half_s for stage in stages if stage.kind != StageKind.GATE]
    total = None if None in halves else sum(half for half in halves if half is not None)
    assumed = tuple(sorted({s.rule.name for s in judged if known[s.name].source == "assumed"}))
    return Forecast(
        policy=policy.name,
        rps=rps,
        stages=stages,
        half_s=total,
        cannot=tuple(_cannot(policy, judged, known, stages)),
        assumed=assumed,
    )


def setting_of(stage: Stage | None, layout: StagePlan) -> Setting:
    """Return how a stage's requests arrive; recorded data count as equal arms."""
    if layout.paired or stage is None:
        return Setting(paired=layout.paired)
    if stage.kind is StageKind.BAKE:
        return Setting(paired=False, ratio=BAKE_HOLDBACK_BP / (WHOLE_BP - BAKE_HOLDBACK_BP))
    rest = WHOLE_BP - stage.weight_bp
    return Setting(paired=False, ratio=(min(rest, stage.weight_bp) if stage.control else rest) / stage.weight_bp)


def title_of(stage: Stage | None) -> str:
    """Return how a stage is called: `canary 10 %`."""
    if stage is None:
        return "recorded data"
    share_bp = stage.weight_bp or stage.mirror_bp
    words = f"{stage.kind} {share_bp / 100:g} %" if share_bp else str(stage.kind)
    return f"{words} with control" if stage.control else words


def _stage(
    index: int, stage: Stage | None, layout: StagePlan, known: Mapping[str, Typical], rps: float
) -> StageForecast:
    """Forecast one stage."""
    setting = setting_of(stage, layout) if layout.streams else Setting(paired=False)
    pace = _pace(stage, rps)
    arms = 1.0 + setting.ratio
    most = _most(stage, pace, arms)
    bake = stage is not None and stage.kind is StageKind.BAKE
    streams = [stream for stream in layout.streams if stream.judged]
    metrics = tuple(_metric(s, known[s.name], setting, pace, most, proves=not bake) for s in streams)
    half = ninth = proven = None
    if bake and stage is not None:
        half = ninth = stage.wait_s
    elif stage is not None and stage.kind is StageKind.WARMUP:
        half = ninth = stage.requests / rps
    elif streams:
        wait = stage.min_wait_s if stage is not None else 0.0
        half, ninth = (_seconds(_all_proven(streams, known, setting, share), pace, wait) for share in (0.5, power.SURE))
        proven = None if most is None else _proven(streams, known, setting, most)
    return StageForecast(
        index=index,
        title=title_of(stage),
        kind=stage.kind.value if stage else "",
        paired=layout.paired,
        candidate_per_s=pace,
        most_samples=None if most is None else most * arms,
        deadline_s=None if stage is None else stage.wait_s or stage.max_wait_s,
        half_s=half,
        most_s=ninth,
        proven=proven,
        late=proven is not None and proven < 0.5,  # noqa: PLR2004 - fewer than half
        metrics=metrics,
    )


def _metric(
    stream: Stream, typical: Typical, setting: Setting, pace: float | None, most: float | None, *, proves: bool
) -> Metric:
    """Forecast one question of a stage."""
    same = power.no_change(stream, typical)
    promote = power.expected(stream, typical, setting, same, promotion=True) if same is not None and proves else None
    catch = power.worth_catching(stream)
    caught = power.expected(stream, typical, setting, min(catch, power.most_harm(stream, typical)))
    arms = 1.0 + setting.ratio
    return Metric(
        name=stream.name,
        test=stream.test,
        expects=typical.value,
        source=typical.source,
        margin=stream.question.limit if stream.is_limit else stream.question.margin,
        unit="ratio" if stream.question.relative or stream.is_limit else stream.spec.unit,
        own_unit=stream.spec.unit,
        promote_samples=_finite(promote, arms),
        promote_s=_seconds(promote, pace, 0.0),
        catch=catch,
        catch_samples=_finite(caught, arms),
        catch_s=_seconds(caught, pace, 0.0),
        smallest=None if most is None else power.smallest(stream, typical, setting, most),
        late=promote is not None and most is not None and promote > most,
    )


def _pace(stage: Stage | None, rps: float) -> float | None:
    """Return the candidate's requests a second (pairs while shadowing); None for an evalset or recorded data."""
    if stage is None or stage.kind is StageKind.GATE:
        return None
    share = {
        StageKind.WARMUP: WHOLE_BP,
        StageKind.SHADOW: stage.mirror_bp,
        StageKind.BAKE: WHOLE_BP - BAKE_HOLDBACK_BP,
    }.get(stage.kind, stage.weight_bp)
    return rps * share / WHOLE_BP


def _most(stage: Stage | None, pace: float | None, arms: float) -> float | None:
    """Return the candidate's requests (pairs) by the stage's deadline; None without one."""
    if stage is None or not stage.judged:
        return None
    wait = stage.wait_s or stage.max_wait_s
    bounds = [] if wait is None or pace is None else [wait * pace]
    bounds += [] if stage.max_samples is None else [stage.max_samples / arms]
    return min(bounds, default=None)


def _all_proven(
    streams: Sequence[Stream], known: Mapping[str, Typical], setting: Setting, share: float
) -> float | None:
    """Return the candidate requests by which this share of equal candidates is proven on every question."""
    low, high = 0.0, 64.0
    while _proven(streams, known, setting, high) < share:
        low, high = high, high * 2.0
        if high > MOST_SAMPLES:
            return None
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _proven(streams, known, setting, middle) < share else (low, middle)
    return high


def _proven(streams: Sequence[Stream], known: Mapping[str, Typical], setting: Setting, n: float) -> float:
    """Return the share of equal candidates proven on every question within n requests, were those independent."""
    share = 1.0
    for stream in streams:
        same = power.no_change(stream, known[stream.name])
        share *= 0.0 if same is None else power.chance(stream, known[stream.name], setting, same, n, promotion=True)
    return share


def _finite(n: float | None, arms: float) -> float | None:
    """Return samples of both arms, None where it is never."""
    return None if n is None or n > MOST_SAMPLES else n * arms


def _seconds(n: float | None, pace: float | None, least_s: float) -> float | None:
    """Return the time that so many candidate requests take."""
    return None if n is None or pace is None or n > MOST_SAMPLES else max(n / pace, least_s)


def _end_of(policy: Policy, stage: StageForecast) -> str:
    """Say what becomes of candidates that are not proven at a stage's deadline."""
    back = policy.stages[stage.index].on_undecided is OnUndecided.ROLLBACK
    return "are rolled back" if back else "wait for a person"


def _cannot(
    policy: Policy, streams: Sequence[Stream], known: Mapping[str, Typical], stages: Sequence[StageForecast]
) -> list[str]:
    """Say what cannot be proven, or not in time, and what mends it; each once."""
    said: dict[str, None] = {}
    for stream in streams:
        for text in _never(stream, known[stream.name]):
            said[text] = None
    for stage in stages:
        if stage.late and stage.half_s is not None:
            slow = max((m for m in stage.metrics if m.promote_samples), key=lambda m: m.promote_samples or 0.0)
            said[
                f"stage {stage.index + 1} ({stage.title}) will rarely decide in time: {stage.proven:.0%} of equal "
                f"candidates are proven by its deadline (the others {_end_of(policy, stage)}), and {slow.name} takes "
                f"longest; give it more traffic or time, "
                f"or {slow.name} a wider margin"
            ] = None
        if stage.kind == StageKind.CANARY and stage.candidate_per_s and not stage.most_samples and stage.metrics:
            said[f"stage {stage.index + 1} ({stage.title}) has no max_wait: undecided, it waits for ever"] = None
    return list(said)


def _never(stream: Stream, typical: Typical) -> list[str]:
    """Say what no number of samples proves."""
    name, question = stream.name, stream.question
    if not stream.is_limit and question.proof_margin is None:
        return [f"{name}: a margin of 0 cannot be proven, so nothing is promoted: give a margin, or `detect` beside it"]
    same = power.no_change(stream, typical)
    if stream.is_limit and same is not None and same >= 0:
        return [f"{name}: the baseline's own value, {typical.value:g}, is not within it: raise the limit or drop it"]
    if power.worth_catching(stream) > power.most_harm(stream, typical):
        return [f"{name}: `detect` lies beyond what can happen to a baseline of {typical.value:g}: lower it"]
    return []
