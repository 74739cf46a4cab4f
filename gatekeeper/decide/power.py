"""What a judgement takes: samples until a decision, and the smallest regression that so many samples show.

Information sets a limit that no test can beat, n2 = log(1/alpha) / D requests; ours take `OVERHEAD` times as many on
average. The log evidence then walks like a Brownian motion with drift D and variance 2 D (that of a likelihood ratio
near its null), so that the time to its bar is inverse Gaussian: that gives medians and chances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.decide import _information
from gatekeeper.model.metric import MetricKind
from gatekeeper.stats import _levels

if TYPE_CHECKING:
    from gatekeeper.decide.plan import Stream
    from gatekeeper.stats import Question

OVERHEAD = {
    "rate": 1.28,
    "rate, paired": 1.35,
    "rate, limit": 1.3,
    "quantile": 1.7,
    "quantile, paired": 1.25,
    "quantile, limit": 1.5,
    "mean": 1.5,
    "mean, paired": 1.5,
    "mean, limit": 1.5,
}
"""Mean samples to a decision over the limit n2, by form of test: measured by simulation at the declared `detect`."""

LEAST_FOR_MEAN = 100
"""Requests an arm without which a test of means, being asymptotic, says nothing."""

SURE = 0.9
LIMIT_BEYOND = 0.25
"""How far beyond a limit a candidate lies that should be caught: a share of the limit."""

MOST_HARM = 50.0
STEPS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Typical:
    """Say how a metric behaves in the baseline.

    value: its rate, mean or quantile, None where nobody knows. spread: standard deviation of the logarithm (quantiles)
    or coefficient of variation (means). correlation: of the two halves of a pair. share: of the requests that the
    metric applies to. source: where this comes from, for people.
    """

    value: float | None
    spread: float = 0.8
    correlation: float = 0.6
    share: float = 1.0
    source: str = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Say how requests arrive: in pairs, or `ratio` of the baseline's for each of the candidate's."""

    paired: bool
    ratio: float = 1.0


def form(stream: Stream, setting: Setting) -> str:
    """Name the form of a stream's test, as `OVERHEAD` lists them."""
    rate = stream.spec.kind is MetricKind.RATE
    kind = "rate" if rate else "mean" if stream.question.quantile is None else "quantile"
    if stream.is_limit:
        return f"{kind}, limit"
    return f"{kind}, paired" if setting.paired else kind


def information(stream: Stream, typical: Typical, setting: Setting, harm: float, *, promotion: bool = False) -> float:
    """Return nats per candidate request (per pair) when the candidate is worse by `harm`; 0: never decided.

    harm: in the margin's unit; for a limit the share by which the candidate lies beyond it. promotion: on "worse by at
    least the margin" instead of "by at most". Requests the metric does not apply to count, and tell nothing.
    """
    question = stream.question
    if stream.is_limit:
        return typical.share * _limit_information(stream, typical, harm, promotion=promotion)
    bar = question.proof_margin if promotion else question.margin
    if bar is None or setting.ratio <= 0:
        return 0.0
    if stream.spec.kind is MetricKind.RATE:
        got = _rate_information(question, typical, setting, harm, bar, promotion=promotion)
    else:
        step = (_log_ratio(question, typical, harm), _log_ratio(question, typical, bar))
        if None in step:
            return 0.0
        worse = (step[0] or 0.0) - (step[1] or 0.0)
        worse = worse if question.increase else -worse
        got = _number_information(question, typical, setting, -worse if promotion else worse, promotion=promotion)
    return typical.share * got


def expected(stream: Stream, typical: Typical, setting: Setting, harm: float, *, promotion: bool = False) -> float:
    """Return the mean candidate requests (pairs) until rollback, or promotion; inf when it never comes."""
    gain = information(stream, typical, setting, harm, promotion=promotion)
    bar = _bar(stream, setting, promotion=promotion)
    return max(bar / gain, _least(stream, typical)) if gain > 0 else math.inf


def needed(
    stream: Stream, typical: Typical, setting: Setting, harm: float, chance: float, *, promotion: bool = False
) -> float:
    """Return the candidate requests (pairs) within which the decision falls with this chance."""
    gain = information(stream, typical, setting, harm, promotion=promotion)
    if gain <= 0:
        return math.inf
    bar = _bar(stream, setting, promotion=promotion)
    low, high = 0.0, bar
    while within(bar, high) < chance:
        low, high = high, 2.0 * high
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if within(bar, middle) < chance else (low, middle)
    return max(high / gain, _least(stream, typical))


def chance(
    stream: Stream, typical: Typical, setting: Setting, harm: float, n: float, *, promotion: bool = False
) -> float:
    """Return the chance that the decision falls within n candidate requests (pairs)."""
    gain = information(stream, typical, setting, harm, promotion=promotion)
    if gain <= 0 or n < _least(stream, typical):
        return 0.0
    return within(_bar(stream, setting, promotion=promotion), gain * n)


def smallest(stream: Stream, typical: Typical, setting: Setting, n: float, chance: float = SURE) -> float | None:
    """Return the smallest harm that n candidate requests (pairs) show with this chance; None when they show none."""
    low = 0.0 if stream.is_limit else stream.question.margin or 0.0
    high = most_harm(stream, typical)
    if high <= low or needed(stream, typical, setting, high, chance) > n:
        return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if needed(stream, typical, setting, middle, chance) <= n else (middle, high)
    return high


def within(bar: float, seen: float) -> float:
    """Return the chance that evidence of drift 1 and variance 2 reaches `bar` by `seen` (inverse Gaussian)."""
    if seen <= 0:
        return 0.0
    spread = math.sqrt(2.0 * seen)
    return _information.above((bar - seen) / spread) + math.exp(bar) * _information.above((bar + seen) / spread)


def no_change(stream: Stream, typical: Typical) -> float | None:
    """Return the harm of a candidate that equals the baseline; None for a limit where its value is not known."""
    if not stream.is_limit:
        return 0.0
    limit = stream.question.limit
    if typical.value is None or not limit:
        return None
    if stream.spec.kind is MetricKind.RATE and not stream.question.increase:
        return (1.0 - typical.value) / (1.0 - limit) - 1.0
    beyond = typical.value / limit - 1.0
    return beyond if stream.question.increase else -beyond


def worth_catching(stream: Stream) -> float:
    """Return the harm that is worth catching fastest: `detect` beyond the margin, or a quarter beyond a limit."""
    if stream.is_limit:
        return LIMIT_BEYOND
    return (stream.question.margin or 0.0) + stream.question.detect


def most_harm(stream: Stream, typical: Typical) -> float:
    """Return the greatest harm there can be."""
    question = stream.question
    if stream.is_limit:
        if stream.spec.kind is not MetricKind.RATE:
            return MOST_HARM if question.increase else 1.0
        limit = question.limit or 1.0
        return _levels.EDGE / (limit if question.increase else 1.0 - limit) - 1.0
    value = typical.value or 0.0
    if stream.spec.kind is MetricKind.RATE:
        a = value if question.increase else 1.0 - value
        if not question.relative:
            return _levels.EDGE - a
        return (_levels.EDGE / a - 1.0 if a > 0 else 0.0) if question.increase else _levels.EDGE
    top = MOST_HARM if question.increase else 0.99
    return top if question.relative else top * abs(value)


def _bar(stream: Stream, setting: Setting, *, promotion: bool) -> float:
    """Return the log evidence wanted, with the price of not knowing the effect."""
    alpha = stream.question.alpha_promotion if promotion else stream.question.alpha_rollback
    return OVERHEAD[form(stream, setting)] * -math.log(alpha)


def _least(stream: Stream, typical: Typical) -> float:
    """Return the fewest candidate requests a test needs to speak at all."""
    asymptotic = stream.spec.kind is not MetricKind.RATE and stream.question.quantile is None
    return LEAST_FOR_MEAN / typical.share if asymptotic else 1.0


def _rate_information(
    question: Question, typical: Typical, setting: Setting, harm: float, bar: float, *, promotion: bool
) -> float:
    """Return the information on a difference of rates; None of it where the rate is not known or cannot be so high."""
    if typical.value is None:
        return 0.0
    a = typical.value if question.increase else 1.0 - typical.value
    shift, slope = (float(part) for part in _levels.line(question, np.array(harm)))
    b = shift + slope * a
    if not 0.0 <= b <= 1.0:
        return 0.0
    null = [float(part) for part in _levels.line(question, np.array(bar))]
    first, second, n1, n2 = (a, b, setting.ratio, 1.0)
    if promotion:
        null = [float(part) for part in _levels.swapped(np.array(null[0]), np.array(null[1]))]
        first, second, n1, n2 = (b, a, 1.0, setting.ratio)
    if not setting.paired:
        return _information.rates(n1, first, n2, second, *null)
    together = a * b + typical.correlation * math.sqrt(a * (1.0 - a) * b * (1.0 - b))
    together = min(max(together, a + b - 1.0, 0.0), a, b)
    return _information.paired_rates(together, first, second, *null)


def _log_ratio(question: Question, typical: Typical, harm: float) -> float | None:
    """Return the logarithm of candidate over baseline at a harm; None where nothing tells, or nothing would be left."""
    if not question.relative:
        if not typical.value:
            return None
        harm /= abs(typical.value)
    ratio = 1.0 + harm if question.increase else 1.0 - harm
    return math.log(ratio) if ratio > 0 else None


def _number_information(
    question: Question, typical: Typical, setting: Setting, gap: float, *, promotion: bool
) -> float:
    """Return the information on a log ratio that lies `gap` beyond the bar."""
    if gap <= 0 or typical.spread <= 0:
        return 0.0
    if question.quantile is None:
        noise = 2.0 * (1.0 - typical.correlation) if setting.paired else 1.0 + 1.0 / setting.ratio
        return gap * gap / (2.0 * typical.spread**2 * noise)
    sds = gap / typical.spread
    if setting.paired:
        return _information.paired_quantiles(sds, question.quantile, typical.correlation)
    high_is_candidate = question.increase is not promotion
    n_low, n_high = (setting.ratio, 1.0) if high_is_candidate else (1.0, setting.ratio)
    return _information.quantiles(n_low, n_high, sds, question.quantile)


def _limit_information(stream: Stream, typical: Typical, harm: float, *, promotion: bool) -> float:
    """Return the information of the candidate's requests on its limit."""
    question = stream.question
    if question.limit is None or (harm >= 0 if promotion else harm <= 0):
        return 0.0
    if stream.spec.kind is MetricKind.RATE:
        bound = question.limit if question.increase else 1.0 - question.limit
        value = bound * (1.0 + harm)
        return _information.divergence(value, bound) if 0.0 <= value <= 1.0 else 0.0
    ratio = 1.0 + harm if question.increase else 1.0 - harm
    if ratio <= 0 or typical.spread <= 0:
        return 0.0
    if question.quantile is None:
        return ((ratio - 1.0) / (typical.spread * ratio)) ** 2 / 2.0
    tail = 1.0 - question.quantile
    start = _information.standing(question.quantile)
    return _information.divergence(_information.above(start - math.log(ratio) / typical.spread), tail)
