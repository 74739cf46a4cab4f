"""What the tests of means share: from an estimate and its variance to e-values and a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from gatekeeper.stats import Picture, Question, Weight
from gatekeeper.stats._mean_sequence import best_scale, half_width, log_e

if TYPE_CHECKING:
    from collections.abc import Sequence

CAUTION = 20.0
"""Variances grow by this over the smaller arm's number: with so few, skewed values make estimate and variance err
together. It costs 2 % of the samples where 1,000 decide."""

EQUAL = "all values are equal, so nothing tells how far they could vary"


class Measured(NamedTuple):
    """Hold what the data say.

    n: observations of baseline and candidate. values: theirs, None without any. estimate: the effect on the sequence's
    axis, None where there is none; variance: its own. note: why the test cannot speak, "" when it can.
    """

    n: tuple[float, float]
    values: tuple[float | None, float | None]
    estimate: float | None
    variance: float
    note: str


class Bars(NamedTuple):
    """Hold what is asked, on the sequence's axis, harm positive.

    allowed: harm that is allowed. proven: harm that promotion must rule out, None when nothing is asked. worth: harm
    beyond the allowed that is to be seen soonest. ahead: how far no change lies from the harm to be ruled out.
    """

    allowed: float
    proven: float | None
    worth: float
    ahead: float

    def scales(self, question: Question) -> tuple[float, float]:
        """Return the mixtures' scales for rollback and promotion."""
        return best_scale(self.worth, question.alpha_rollback), best_scale(self.ahead, question.alpha_promotion)


def cautious(variance: float, n: Sequence[float]) -> float:
    """Return a variance that few observations may be trusted with."""
    return variance * (1.0 + CAUTION / min(n))


def weigh(question: Question, measured: Measured, bars: Bars) -> Weight:
    """Return the e-values that belong to the sequence's bounds."""
    if measured.note or measured.estimate is None:
        return Weight(rollback=-math.inf, promotion=-math.inf)
    harm = measured.estimate if question.increase else -measured.estimate
    scales = bars.scales(question)
    proven = -math.inf
    if bars.proven is not None:
        proven = log_e(bars.proven - harm, measured.variance, scales[1])
    return Weight(rollback=log_e(harm - bars.allowed, measured.variance, scales[0]), promotion=proven)


def picture(question: Question, measured: Measured, bars: Bars, *, logarithm: bool) -> Picture:
    """Show both values with the sequence's bounds; logarithm: the axis is that of a log ratio."""
    a_n, b_n = (round(n) for n in measured.n)
    old, new = measured.values
    estimate = measured.estimate
    if estimate is None:
        return Picture(a_n=a_n, b_n=b_n, a_value=old, b_value=new, note=measured.note)

    def shown(end: float) -> float:
        return math.expm1(min(end, 700.0)) if logarithm else end

    if measured.note:
        return Picture(a_n=a_n, b_n=b_n, a_value=old, b_value=new, estimate=shown(estimate), note=measured.note)
    alphas = question.alpha_rollback, question.alpha_promotion
    widths = [half_width(measured.variance, s, a) for s, a in zip(bars.scales(question), alphas, strict=True)]
    below, above = widths if question.increase else widths[::-1]
    return Picture(
        a_n=a_n,
        b_n=b_n,
        a_value=old,
        b_value=new,
        estimate=shown(estimate),
        lower=shown(estimate - below),
        upper=shown(estimate + above),
    )
