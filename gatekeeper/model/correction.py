"""A detector's rates beside what people's labels make of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLabel:
    """Hold what a person says of one pair: whether each answer is what the metric counts.

    metric: as a policy names it. by: who said so, "" when it is not known. ts: unix seconds, None when not known.
    """

    pair_id: str
    metric: str
    baseline: bool
    candidate: bool
    by: str = ""
    ts: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """Hold a rate, or the difference of two, as the detector says and as the labels put it right.

    value, lower, upper: the corrected one with its interval.
    """

    raw: float
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorError:
    """Hold a share of wrong answers of the detector with its interval; labelled: answers that it rests on."""

    value: float
    lower: float
    upper: float
    labelled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmErrors:
    """Hold a detector's errors in one arm; each is None where no such answer is labelled.

    false_flags: of the answers that it flagged, the share that is none. missed: of those that it did not flag, the
    share that is one. Both speak of the pairs that labels cover.
    """

    false_flags: DetectorError | None
    missed: DetectorError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Hold a metric's rates over pairs, raw and corrected by labels; it never decides.

    pairs: those that both arms answered. labelled: pairs with a label. discordant: pairs in which the detector's
    answers differ. taken: share of the pairs whose kind nobody labelled, and which stand as the detector says. level:
    of the intervals. note: what the figures hold for, in words.
    """

    metric: str
    pairs: int
    discordant: int
    labelled: int
    taken: float
    level: float
    baseline: Corrected
    candidate: Corrected
    difference: Corrected
    baseline_errors: ArmErrors
    candidate_errors: ArmErrors
    note: str
