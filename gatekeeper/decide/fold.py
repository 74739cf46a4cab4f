"""Evidence grows by one window: one look's new data, in time order; its cost does not depend on earlier ones."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper import registry
from gatekeeper.decide import spend
from gatekeeper.decide.columns import ARMS, Columns, from_samples, needed
from gatekeeper.decide.evidence import Evidence, Mark, Track
from gatekeeper.model.arm import Arm
from gatekeeper.stats import Batch, _sample_ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gatekeeper.decide.plan import Plan, StagePlan, Stream
    from gatekeeper.model.sample import Sample
    from gatekeeper.stats import Question, State, Test, Weight

MOST_SEGMENTS = 64
"""Segments that are judged on their own; those that come later are part of all traffic alone."""

MOST_CLUSTERS = 4096
"""Clusters the sample-ratio check counts; more would not change its answer."""

__all__ = ["ALL", "Evidence", "begin", "fold", "fold_columns", "question_for"]

ALL = ""
"""The label of all traffic."""

BASELINE = ARMS.index(Arm.BASELINE)
CANDIDATE = ARMS.index(Arm.CANDIDATE)


def begin(plan: Plan, stage: int) -> Evidence:
    """Return a stage's evidence before any data."""
    streams = plan.stages[stage].streams
    return Evidence(tracks={s.name: {ALL: Track(state=_test(s).begin(s.question))} for s in streams})


def fold(plan: Plan, stage: int, evidence: Evidence, samples: Sequence[Sample]) -> Evidence:
    """Return evidence with one closed window added: one look's new data.

    The two halves of a pair must come in the same window; a half without its partner is left out and counted.
    """
    columns = from_samples(samples, needed(plan), plan.policy.segments)
    return fold_columns(plan, stage, evidence, columns.ordered())


def fold_columns(plan: Plan, stage: int, evidence: Evidence, columns: Columns) -> Evidence:
    """Do what `fold` does, for columns in time order."""
    if not len(columns):
        return evidence
    layout = plan.stages[stage]
    new = _counted(layout, evidence, columns)
    first, second, singles = _arms(layout, columns)
    new.singles += singles
    groups = _groups(plan.policy.segments, new, columns, (first, second), paired=layout.paired)
    work: dict[str, list[tuple[Stream, str, Batch]]] = defaultdict(list)
    for stream in layout.streams:
        usable = _usable(stream, columns)
        data = np.stack([columns.values[name] for name in stream.spec.columns], axis=1)
        for label, (a_rows, b_rows) in groups.items():
            batch = _batch(data, usable, a_rows, b_rows, paired=layout.paired)
            if len(batch.a_at) or len(batch.b_at):
                work[stream.test].append((stream, label, batch))
    for name, items in work.items():
        _absorb(registry.load("stats", name), new, items)
    return new


def _counted(layout: StagePlan, evidence: Evidence, columns: Columns) -> Evidence:
    """Return a copy of the evidence with the window's rows counted by arm."""
    arms = dict(evidence.arms)
    for code, count in zip(*np.unique(columns.arm, return_counts=True), strict=True):
        arms[ARMS[code].value] = arms.get(ARMS[code].value, 0) + int(count)
    new = replace(
        evidence,
        looks=evidence.looks + 1,
        samples=evidence.samples + len(columns),
        ts=max(float(columns.ts[-1]), evidence.ts or -math.inf),
        arms=arms,
        tracks={name: dict(tracks) for name, tracks in evidence.tracks.items()},
        segments=list(evidence.segments),
    )
    if layout.shares is not None:
        _count_units(layout, new, columns)
    return new


def _count_units(layout: StagePlan, new: Evidence, columns: Columns) -> None:
    """Count what was drawn by lot: each cluster once, each request without a cluster; then test the split."""
    new.units, new.seen = list(new.units), list(new.seen)
    known = set(new.seen)
    for arm, cluster in zip(columns.arm.tolist(), columns.cluster.tolist(), strict=True):
        if arm not in {BASELINE, CANDIDATE} or cluster in known:
            continue
        if cluster >= 0:
            if len(known) >= MOST_CLUSTERS:
                continue
            known.add(cluster)
            new.seen.append(cluster)
        new.units[arm == CANDIDATE] += 1
    new.ratio_log_e = max(new.ratio_log_e, _sample_ratio.log_e(new.units, layout.shares or ()))


def _arms(layout: StagePlan, columns: Columns) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the rows of baseline and candidate, aligned when paired, and how many halves had no partner."""
    a = np.flatnonzero(columns.arm == BASELINE)
    b = np.flatnonzero(columns.arm == CANDIDATE)
    if not layout.paired:
        return a, b, 0
    mine = {int(pair): int(row) for pair, row in zip(columns.pair[a], a, strict=True) if pair >= 0}
    joined = [
        (mine.pop(int(pair)), int(row))
        for pair, row in zip(columns.pair[b], b, strict=True)
        if pair >= 0 and int(pair) in mine
    ]
    rows = np.array(joined, np.int64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1], len(a) + len(b) - 2 * len(joined)


def _groups(
    keys: Sequence[str],
    new: Evidence,
    columns: Columns,
    arms: tuple[NDArray[np.int64], NDArray[np.int64]],
    *,
    paired: bool,
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Divide the arms' rows into all traffic and each segment; a pair belongs to its baseline's segment."""
    groups = {ALL: arms}
    for key in keys:
        codes, labels = columns.segments[key]
        a_codes = codes[arms[0]]
        b_codes = a_codes if paired else codes[arms[1]]
        for code in np.unique(np.concatenate([a_codes, b_codes])).tolist():
            if code >= 0 and _known(new, labels[code]):
                groups[labels[code]] = (arms[0][a_codes == code], arms[1][b_codes == code])
    return groups


def _known(new: Evidence, label: str) -> bool:
    """Tell whether a segment is judged on its own, noting it when it is new and there is room."""
    if label in new.segments:
        return True
    if len(new.segments) >= MOST_SEGMENTS:
        return False
    new.segments.append(label)
    return True


def _usable(stream: Stream, columns: Columns) -> NDArray[np.bool_]:
    """Tell which rows the metric applies to: nothing missing, and no failure (but for the error rate)."""
    usable = np.ones(len(columns), np.bool_) if stream.spec.on_errors else ~columns.errored
    for name in stream.spec.columns:
        usable &= ~np.isnan(columns.values[name])
    return usable


def _batch(
    data: NDArray[np.float64],
    usable: NDArray[np.bool_],
    a_rows: NDArray[np.int64],
    b_rows: NDArray[np.int64],
    *,
    paired: bool,
) -> Batch:
    """Pick the usable rows; of a pair both must be."""
    if paired:
        both = usable[a_rows] & usable[b_rows]
        a_rows, b_rows = a_rows[both], b_rows[both]
    else:
        a_rows, b_rows = a_rows[usable[a_rows]], b_rows[usable[b_rows]]
    return Batch(a=data[a_rows], b=data[b_rows], a_at=a_rows, b_at=b_rows)


def _absorb(test: Test, new: Evidence, items: list[tuple[Stream, str, Batch]]) -> None:
    """Give a test all its streams' windows at once, and note what crossed."""
    questions = [question_for(stream, new.segments, label) for stream, label, _ in items]
    tracks = [
        new.tracks[stream.name].get(label) or Track(state=test.begin(question))
        for (stream, label, _), question in zip(items, questions, strict=True)
    ]
    states = test.absorb(questions, [track.state for track in tracks], [batch for _, _, batch in items])
    mark = Mark(look=new.looks, samples=new.samples, ts=new.ts)
    for (stream, label, _), question, track, state in zip(items, questions, tracks, states, strict=True):
        new.tracks[stream.name][label] = (
            _marked(track, state, test.weigh(question, state), question, mark)
            if stream.judged
            else replace(track, state=state)
        )


def _marked(track: Track, state: State, weight: Weight, question: Question, mark: Mark) -> Track:
    """Return the track with its new state; a crossing, once seen, stays."""
    failed = weight.rollback >= -math.log(question.alpha_rollback)
    passed = weight.promotion >= -math.log(question.alpha_promotion)
    return Track(
        state=state,
        failed=track.failed or (mark if failed else None),
        passed=track.passed or (mark if passed else None),
        log_rollback=weight.rollback,
        log_promotion=weight.promotion,
    )


def question_for(stream: Stream, segments: Sequence[str], label: str) -> Question:
    """Return the stream's question with what this segment may spend of the error budget."""
    if label == ALL or not stream.judged:
        return stream.question
    alpha = spend.segment_share(stream.alpha_segments, segments.index(label) + 1)
    return replace(stream.question, alpha_rollback=alpha)


def _test(stream: Stream) -> Test:
    """Return the stream's test."""
    return registry.load("stats", stream.test)
