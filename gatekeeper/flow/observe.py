"""Looking at a stage: fold what is new into its tallies, each sample exactly once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gatekeeper.decide.fold import Evidence, begin, fold
from gatekeeper.decide.kept import Kept
from gatekeeper.model.arm import Arm
from gatekeeper.model.policy import Stage, StageKind
from gatekeeper.model.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.decide.compile import Plan
    from gatekeeper.ports import Unit

ROWS_PER_LOOK = 5_000
"""Samples folded in one transaction: what waits beyond it is folded at the next look."""

PAIR_PATIENCE_S = 60.0
"""How long a mirrored half waits for its other half before it is left out, and counted so."""

KEPT = Kept()
"""The evidence that this process stored last."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold a stage's evidence after a look; fresh: samples this look added; look: looks so far; warm: see Sight."""

    evidence: Evidence
    fresh: int
    look: int
    samples: int
    warm: int


@dataclass(frozen=True, slots=True)
class Window:
    """Hold one look's new rows, sorted out: to fold, and to leave out for good. The rest waits."""

    samples: list[Sample]
    folded: list[int]
    dropped: list[int]


def observe(unit: Unit, key: tuple[str, int, int], stage: Stage, plan: Plan) -> Seen:
    """Fold the stage's new samples into its tallies and return the evidence so far; key: (rollout, stage, epoch).

    Raises:
        OldEvidenceError: the tallies are of another version.
    """
    body = unit.tallies.get(*key)
    place = key[1]
    evidence = KEPT.read(key, body["evidence"]) if body else begin(plan, place)
    look, total, warm = (body["look"], body["samples"], body["warm"]) if body else (0, 0, 0)
    rows = unit.samples.unfolded(*key, ROWS_PER_LOOK)
    notices = [(row, sample.lost) for row, sample in rows if sample.lost]
    window = sort_out(stage, [(row, sample) for row, sample in rows if not sample.lost], unit.clock.now())
    window.dropped.extend(row for row, _ in notices)
    if not window.folded and not window.dropped:
        return Seen(evidence, 0, look, total, warm)
    if notices:
        evidence = replace(evidence, lost=evidence.lost + sum(lost for _, lost in notices))
    if window.samples:
        look, total = look + 1, total + len(window.samples)
        warm += sum(1 for s in window.samples if s.arm is Arm.CANDIDATE and not s.error)
        if stage.judged:
            evidence = fold(plan, place, evidence, window.samples)
    unit.samples.mark_folded(window.folded)
    unit.samples.mark_folded(window.dropped, dropped=True)
    new = {"evidence": KEPT.write(key, evidence), "look": look, "samples": total, "warm": warm}
    unit.tallies.put(*key, {**(body or {}), **new})
    return Seen(evidence, len(window.samples), look, total, warm)


def sort_out(stage: Stage, rows: Sequence[tuple[int, Sample]], now_s: float) -> Window:
    """Say which rows this stage compares now, leaves out, or lets wait.

    A shadow stage and a gate compare whole pairs; an unmirrored request is left out. A canary with a control compares
    with the control alone, a cohort of its own size with caches as fresh as its own; it stands in the baseline's place.
    """
    if stage.kind in {StageKind.SHADOW, StageKind.GATE}:
        return _pairs(rows, now_s)
    if not stage.control:
        return Window([sample for _, sample in rows], [row for row, _ in rows], [])
    window = Window([], [], [])
    for row, sample in rows:
        if sample.arm is Arm.BASELINE:
            window.dropped.append(row)
        else:
            window.folded.append(row)
            window.samples.append(replace(sample, arm=Arm.BASELINE) if sample.arm is Arm.CONTROL else sample)
    return window


def _pairs(rows: Sequence[tuple[int, Sample]], now_s: float) -> Window:
    window = Window([], [], [])
    halves: dict[str, list[tuple[int, Sample]]] = defaultdict(list)
    for row, sample in rows:
        if sample.pair_id is None:
            window.dropped.append(row)
        else:
            halves[sample.pair_id].append((row, sample))
    for pair in halves.values():
        if {sample.arm for _, sample in pair} >= {Arm.BASELINE, Arm.CANDIDATE}:
            window.folded.extend(row for row, _ in pair)
            window.samples.extend(sample for _, sample in pair)
        elif now_s - max(sample.ts for _, sample in pair) > PAIR_PATIENCE_S:
            window.dropped.extend(row for row, _ in pair)
    return window
