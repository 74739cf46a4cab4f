"""Pairs that a detector has read and people in part: each arm's rate and the difference, raw and put right.

Strata are the detector's two answers of a pair: neither, candidate alone, baseline alone, both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.model.correction import ArmErrors, Corrected, Correction, DetectorError
from gatekeeper.stats._corrected import LEVEL, Stratum, corrected

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.stats._corrected import Estimate

KINDS = 4
"""Of pairs: baseline's answer times two, plus candidate's."""

DISCORDANT = (1, 2)

Table = NDArray[np.int64]


def correct(metric: str, sizes: Table, labels: Table) -> Correction | None:
    """Return a metric's correction; None where no pair is labelled.

    sizes: number of pairs by the detector's answers, shape (4,). labels: of those labelled, by the detector's answers
    and by the true ones, shape (4, 4).
    """
    per_kind = labels.sum(axis=1)
    size, labelled = int(sizes.sum()), int(per_kind.sum())
    if not labelled:
        return None
    taken = float(sizes[per_kind == 0].sum() / size)
    return Correction(
        metric=metric,
        pairs=size,
        discordant=int(sizes[list(DISCORDANT)].sum()),
        labelled=labelled,
        taken=taken,
        level=LEVEL,
        baseline=_rate(sizes, labels, _baseline),
        candidate=_rate(sizes, labels, _candidate),
        difference=_rate(sizes, labels, _difference, signed=True),
        baseline_errors=_errors(sizes, labels, _baseline),
        candidate_errors=_errors(sizes, labels, _candidate),
        note=_note(sizes, per_kind),
    )


def _baseline(kind: int) -> int:
    return kind // 2


def _candidate(kind: int) -> int:
    return kind % 2


def _difference(kind: int) -> int:
    return kind % 2 - kind // 2


def _rate(sizes: Table, labels: Table, of: Callable[[int], int], *, signed: bool = False) -> Corrected:
    """Return the mean of a pair's value over all pairs."""
    raw = float(sum(int(sizes[kind]) * of(kind) for kind in range(KINDS)) / sizes.sum())
    strata = [_stratum(int(sizes[kind]), labels[kind], of, taken=of(kind)) for kind in range(KINDS)]
    found = corrected(strata, signed=signed)
    if found is None:
        raise ValueError("no pair is labelled; expected at least one")
    return Corrected(raw=raw, value=found.value, lower=found.lower, upper=found.upper)


def _errors(sizes: Table, labels: Table, of: Callable[[int], int]) -> ArmErrors:
    """Return how often the detector errs in one arm, over the kinds of pairs that labels cover."""

    def share(said: int) -> DetectorError | None:
        kinds = [kind for kind in range(KINDS) if of(kind) == said and labels[kind].any()]
        strata = [_stratum(int(sizes[kind]), labels[kind], lambda true: of(true) != said) for kind in kinds]
        return _error(corrected(strata))

    return ArmErrors(false_flags=share(1), missed=share(0))


def _error(found: Estimate | None) -> DetectorError | None:
    if found is None:
        return None
    return DetectorError(value=found.value, lower=found.lower, upper=found.upper, labelled=found.labelled)


def _stratum(size: int, labels: Table, of: Callable[[int], int], taken: float = 0.0) -> Stratum:
    """Return the pairs to which the detector said the same, with the labels' values counted."""
    counts = {-1: 0, 0: 0, 1: 0}
    for true in range(KINDS):
        counts[int(of(true))] += int(labels[true])
    return Stratum(size=size, minus=counts[-1], zero=counts[0], plus=counts[1], taken=taken)


def _note(sizes: Table, per_kind: Table) -> str:
    """Say what the figures rest on."""
    agreeing = [kind for kind in range(KINDS) if kind not in DISCORDANT]
    bare = [kind for kind in range(KINDS) if sizes[kind] and not per_kind[kind]]
    if not bare:
        return "labels cover every kind of pair; they must have been drawn by lot within each kind"
    if set(bare) <= set(agreeing):
        return (
            "only pairs in which the detector's answers differ are labelled; where they agree it is taken at its word: "
            "the difference holds if it errs there alike in both arms, each arm's rate if it does not err there"
        )
    return "some kinds of pairs have no label, and the detector is taken at its word there: label some of each kind"
