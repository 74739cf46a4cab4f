"""Evidence grows by one window: one look's new data, in time order; its cost does not depend on earlier ones."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper import registry
from gatekeeper.decide import _at_once, _match, _seen, drift, spend
from gatekeeper.decide._batch import Whole, segments
from gatekeeper.decide._gather import gathered
from gatekeeper.decide._look import sort_out
from gatekeeper.decide._strata import Names
from gatekeeper.decide.columns import ARMS, Columns, from_samples, needed, segment_keys
from gatekeeper.decide.evidence import Evidence, Mark, Track
from gatekeeper.model.metric import MetricKind
from gatekeeper.model.policy import Unit
from gatekeeper.stats import _sample_ratio, _segment_mix

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gatekeeper.decide._gather import Gather
    from gatekeeper.decide._look import Look
    from gatekeeper.decide.plan import Plan, StagePlan, Stream
    from gatekeeper.model.sample import Sample
    from gatekeeper.stats import Batch, Question, State, Test, Weight

__all__ = ["ALL", "Evidence", "begin", "fold", "fold_columns", "question_for", "questions_for"]

ALL = ""
"""The label of all traffic."""

MOST_PERIODS = 16
"""Periods of one look in which the baseline's rate is followed."""


def begin(plan: Plan, stage: int) -> Evidence:
    """Return a stage's evidence before any data."""
    streams = plan.stages[stage].streams
    return Evidence(tracks={s.name: {ALL: Track(state=test_named(s.test).begin(s.question))} for s in streams})


def fold(plan: Plan, stage: int, evidence: Evidence, samples: Sequence[Sample]) -> Evidence:
    """Return evidence with one closed window added: one look's new data.

    The two halves of a pair must come in the same window; a half without its partner is left out and counted. Log
    e-values are exact where something crosses, and on all traffic; a segment's may be told as more than it is.
    """
    columns = from_samples(samples, needed(plan), segment_keys(plan.policy))
    return settled(plan, stage, fold_columns(plan, stage, evidence, columns.ordered(), rough=True), segments=False)


def fold_columns(plan: Plan, stage: int, evidence: Evidence, columns: Columns, *, rough: bool = False) -> Evidence:
    """Do what `fold` does, for columns in time order; a segment key that they lack is as if no row had it.

    rough: log e-values that decide nothing need not be exact, until `settled`; what has crossed, and when, is.
    """
    if not len(columns):
        return evidence
    layout = plan.stages[stage]
    clustered = plan.policy.unit is Unit.CLUSTER
    names = Names(segments=list(evidence.segments), strata=list(evidence.strata))
    look = sort_out(
        columns,
        segment_keys(plan.policy),
        names,
        paired=layout.paired,
        judged=bool(plan.policy.segments),
        past=evidence.compared,
        seen=evidence.seen,
        clustered=clustered,
    )
    new = _counted(layout, evidence, columns, look, names)
    for test, items in _work(layout, new, columns, look).items():
        _absorb(test_named(test), new, items, rough=rough)
    return new


def settled(plan: Plan, stage: int, evidence: Evidence, *, segments: bool = True) -> Evidence:
    """Return evidence that was folded roughly with exact log e-values; segments: those of segments too."""
    new = replace(evidence, tracks={name: dict(tracks) for name, tracks in evidence.tracks.items()})
    work: dict[str, list[tuple[Stream, str]]] = defaultdict(list)
    for stream in plan.stages[stage].streams:
        if stream.judged and hasattr(test_named(stream.test), "roughly"):
            work[stream.test] += [(stream, label) for label in new.tracks[stream.name] if segments or label == ALL]
    for test, items in work.items():
        questions = questions_for(items, new.segments)
        states = [new.tracks[stream.name][label].state for stream, label in items]
        for (stream, label), weight in zip(items, _at_once.weights(test_named(test), questions, states), strict=True):
            track = new.tracks[stream.name][label]
            new.tracks[stream.name][label] = replace(
                track, log_rollback=weight.rollback, log_promotion=weight.promotion
            )
    return new


def _counted(layout: StagePlan, evidence: Evidence, columns: Columns, look: Look, names: Names) -> Evidence:
    """Return a copy of the evidence with the look's rows counted."""
    arms = dict(evidence.arms)
    for code, count in enumerate(np.bincount(columns.arm, minlength=len(ARMS)).tolist()):
        if count:
            arms[ARMS[code].value] = arms.get(ARMS[code].value, 0) + count
    new = replace(
        evidence,
        looks=evidence.looks + 1,
        samples=evidence.samples + len(columns),
        ts=max(float(columns.ts[-1]), evidence.ts or -math.inf),
        arms=arms,
        compared=evidence.compared + look.size,
        seen=_seen.noted(evidence.seen, look.clusters),
        grouped=evidence.grouped + look.grouped,
        repeats=evidence.repeats + look.repeats,
        singles=evidence.singles + look.singles,
        segments=names.segments,
        strata=names.strata,
        matched=dict(evidence.matched),
        drift=dict(evidence.drift),
        tracks={name: dict(tracks) for name, tracks in evidence.tracks.items()},
    )
    if not layout.paired:
        _count_units(layout, new, look)
    return new


def _count_units(layout: StagePlan, new: Evidence, look: Look) -> None:
    """Count what was drawn by lot by stratum, each unit by its first request; then test the split and the mixes."""
    counts = look.drawn()
    counts[: len(new.mix)] += np.array(new.mix, np.int64).reshape(-1, 2)
    new.mix = counts.tolist()
    new.units = counts.sum(axis=0).tolist()
    if layout.shares is not None:
        new.ratio_log_e = max(new.ratio_log_e, _sample_ratio.log_e(new.units, layout.shares))
    new.mix_log_e = max(new.mix_log_e, _segment_mix.log_e(new.mix))


def _work(layout: StagePlan, new: Evidence, columns: Columns, look: Look) -> dict[str, list[tuple[Stream, str, Batch]]]:
    """Return the data of each stream and label by test; streams on the same metric share what is counted."""
    gathers = gathered(look, columns, layout.streams)
    work: dict[str, list[tuple[Stream, str, Batch]]] = defaultdict(list)
    for stream in layout.streams:
        gather = gathers[stream.spec.name]
        if not gather.entries.usable.any():
            continue
        work[stream.test].append((stream, ALL, _whole(layout, new, stream, gather)))
        work[stream.test] += [(stream, label, part) for label, part in segments(gather)]
        _watch_baseline(new, stream, gather)
    return work


def _whole(layout: StagePlan, new: Evidence, stream: Stream, gather: Gather) -> Whole:
    """Return all traffic's data; where a quantile of two arms is compared, requests are matched by stratum."""
    if stream.rule.quantile is None or stream.is_limit or layout.paired or len(new.strata) < 2:  # noqa: PLR2004
        return Whole(gather)
    code, weight = gather.match_code()
    before = new.matched.get(stream.name, {"seen": [], "kept": []})
    left_out, seen, kept = _match.matched(
        before["seen"], before["kept"], code=code, strata=len(new.strata), weight=weight, shares=layout.shares
    )
    new.matched[stream.name] = {"seen": seen, "kept": kept}
    return Whole(gather, left_out)


def _watch_baseline(new: Evidence, stream: Stream, gather: Gather) -> None:
    """Note how the baseline's rate or mean is in this look, window by window for a rate."""
    if stream.rule.quantile is not None or stream.is_limit or len(stream.spec.columns) > 1:
        return
    state = new.drift.get(stream.name) or drift.begin()
    if stream.spec.kind is MetricKind.RATE:
        for n, yes in _periods(gather.windows_by_stratum.sum(axis=1)[:, :2]).tolist():
            state = drift.absorb(state, n, yes, yes)
    else:
        n, total, product = (form.sum(axis=0) for form in gather.sums_by_stratum)
        state = drift.absorb(state, float(n[0]), float(total[0]), float(product[0, 0]))
    new.drift[stream.name] = state


def _periods(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Join a long look's windows, which grow, to a few of about equal size."""
    if len(windows) <= MOST_PERIODS:
        return windows
    done = np.cumsum(windows[:, 0])
    starts = np.searchsorted(done, done[-1] * np.arange(MOST_PERIODS) / MOST_PERIODS, side="right")
    return np.add.reduceat(windows, np.unique(np.minimum(starts, len(windows) - 1)), axis=0)


def _absorb(test: Test, new: Evidence, items: list[tuple[Stream, str, Batch]], *, rough: bool) -> None:
    """Give a test all its streams' windows at once, and note what crossed."""
    questions = questions_for([(stream, label) for stream, label, _ in items], new.segments)
    tracks = [
        new.tracks[stream.name].get(label) or Track(state=test.begin(question))
        for (stream, label, _), question in zip(items, questions, strict=True)
    ]
    states = test.absorb(questions, [track.state for track in tracks], [batch for _, _, batch in items])
    mark = Mark(look=new.looks, samples=new.samples, ts=new.ts)
    judged = [i for i, (stream, _, _) in enumerate(items) if stream.judged]
    asked = [questions[i] for i in judged], [states[i] for i in judged]
    proven = [tracks[i].passed is not None for i in judged]
    found = _at_once.rough_weights(test, *asked, proven) if rough else _at_once.weights(test, *asked)
    weights = dict(zip(judged, found, strict=True))
    for i, ((stream, label, _), question, track, state) in enumerate(
        zip(items, questions, tracks, states, strict=True)
    ):
        new.tracks[stream.name][label] = (
            _marked(track, state, weights[i], question, mark) if i in weights else replace(track, state=state)
        )


def _marked(track: Track, state: State, weight: Weight, question: Question, mark: Mark) -> Track:
    """Return the track with its new state; a failure stays, a pass may be taken back.

    It is withdrawn once half of a failure's evidence is there (the e-value is above the root of its bar), and comes
    back at a look at which promotion's e-value stands above its own.
    """
    bar = -math.log(question.alpha_rollback)
    failed = weight.rollback >= bar
    proven = weight.promotion >= -math.log(question.alpha_promotion)
    passed, withdrawn = track.passed, track.withdrawn
    if proven:
        passed, withdrawn = passed or mark, None
    elif passed and weight.rollback > bar / 2.0:
        passed, withdrawn = None, mark
    return Track(
        state=state,
        failed=track.failed or (mark if failed else None),
        passed=passed,
        withdrawn=withdrawn,
        log_rollback=weight.rollback,
        log_promotion=weight.promotion,
    )


def question_for(stream: Stream, segments: Sequence[str], label: str) -> Question:
    """Return the stream's question with what this segment may spend of the error budget."""
    return questions_for([(stream, label)], segments)[0]


def questions_for(asked: Iterable[tuple[Stream, str]], segments: Sequence[str]) -> list[Question]:
    """Return the questions of streams and labels, as `question_for` does."""
    arrival = {label: number for number, label in enumerate(segments, 1)}
    return [
        stream.question
        if label == ALL or not stream.judged
        else _with_budget(stream.question, spend.segment_share(stream.alpha_segments, arrival[label]))
        for stream, label in asked
    ]


@lru_cache(maxsize=4096)
def _with_budget(question: Question, alpha: float) -> Question:
    """Return the question with what it may spend, the same object every time: what it decides is kept by it."""
    return replace(question, alpha_rollback=alpha)


@cache
def test_named(name: str) -> Test:
    """Return a test; which files there are is looked up once."""
    return registry.load("stats", name)
