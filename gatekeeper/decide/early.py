"""Signs of harm on too few samples to decide by: told as a check, for a person to look; they never rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.decide.fold import ALL
from gatekeeper.model.finding import Check, Ruling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gatekeeper.decide.evidence import Track
    from gatekeeper.decide.plan import Stream
    from gatekeeper.stats import Question, State
    from gatekeeper.stats._histogram import Histogram

FEWEST, MOST = 5, 100
"""Samples of the smaller arm from and up to which a sign is told: above, the tests themselves speak."""

ALPHA = 0.02
"""Chance of a sign, at one look, where there is no harm: over all the metrics that are judged."""


ROUNDING = 1e-6
"""Standard deviations below this share of the mean are rounding: the values are constant."""


def signs(tracks: Iterable[tuple[Stream, str, Track]]) -> Iterator[Check]:
    """Tell which metrics look worse on all traffic, by fixed-sample tests at the margin 0, while none is decided."""
    whole = [(stream, track) for stream, label, track in tracks if stream.judged and label == ALL]
    for stream, track in whole:
        if track.failed or track.passed:
            continue
        found = _p_value(stream, track.state)
        if found is not None and found[1] <= ALPHA / len(whole):
            reason = (
                f"{stream.name} looks worse already ({found[0]}: p = {found[1]:.2g} if this were the only look), on "
                "too few samples to decide by: look at the answers before going on"
            )
            yield Check(name="early_sign", ruling=Ruling.INCONCLUSIVE, reason=reason)


def _p_value(stream: Stream, state: State) -> tuple[str, float] | None:
    """Return the name and the one-sided p-value of the fixed-sample test of "no worse"; None where none is at hand."""
    if stream.test == "two_proportion_ripr":
        return _rates(stream.question, state)
    if stream.test == "minprod":
        return _ranks(stream.question, state)
    return _means(stream.question, state) if stream.test == "asymptotic_mean" else None


def _few(a_n: float, b_n: float) -> bool:
    """Tell whether the smaller arm has few samples."""
    return FEWEST <= min(a_n, b_n) < MOST


def _rates(question: Question, state: State) -> tuple[str, float] | None:
    a_n, a_x, b_n, b_x = np.rint((state["counts"] + state["pending"]).sum(axis=0)).astype(int).tolist()
    if not _few(a_n, b_n):
        return None
    from scipy.stats import fisher_exact  # noqa: PLC0415  # slow to import, and seldom needed

    table = [[b_x, b_n - b_x], [a_x, a_n - a_x]]
    found = fisher_exact(table, alternative="greater" if question.increase else "less")
    return f"{b_x} of {b_n} against {a_x} of {a_n}, Fisher's exact test", float(found.pvalue)


def _ranks(question: Question, state: State) -> tuple[str, float] | None:
    a, b = (_values(state[arm]) for arm in ("a", "b"))
    if not _few(len(a), len(b)):
        return None
    from scipy.stats import mannwhitneyu  # noqa: PLC0415  # as above

    found = mannwhitneyu(b, a, alternative="greater" if question.increase else "less")
    return f"{len(b)} against {len(a)} values, Mann-Whitney test", float(found.pvalue)


def _values(histogram: Histogram) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the values' buckets, one for each (units that count for parts are rounded)."""
    return np.asarray(np.repeat(histogram["at"], np.rint(histogram["count"]).astype(int)), np.int64)


def _means(question: Question, state: State) -> tuple[str, float] | None:
    n = state["n"].sum(axis=0)
    if not _few(*n.tolist()):
        return None
    total, square = state["sum"].sum(axis=0), state["product"].sum(axis=0)
    if not np.array_equal(total[[1, 3]], n):
        return None  # a ratio of sums: no single sample has a value
    mean = total[[0, 2]] / n
    spread = np.sqrt(np.maximum(np.diag(square)[[0, 2]] / n - mean**2, 0.0) * n / (n - 1.0))
    if not spread.max() > ROUNDING * np.abs(mean).max():
        return None  # constant, or not finite
    from scipy.stats import ttest_ind_from_stats  # noqa: PLC0415  # as above

    side = "greater" if question.increase else "less"
    found = ttest_ind_from_stats(mean[1], spread[1], n[1], mean[0], spread[0], n[0], equal_var=False, alternative=side)
    p = float(found.pvalue)
    return None if math.isnan(p) else (f"{n[1]:.0f} against {n[0]:.0f} values, Welch's test", p)
