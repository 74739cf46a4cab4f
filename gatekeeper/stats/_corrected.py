"""A detector's rate, put right by a labelled sample: stratified prediction-powered inference, without a bootstrap.

The detector has read every unit, people some, drawn by lot within strata that the detector's own answers make. Within
such a stratum its answer is a constant, so that the prediction-powered estimate (Angelopoulos et al. 2023, Science 382;
by strata: Fisch et al. 2024, NeurIPS) is the labels' mean in each stratum, weighted by the stratum's share of all
units: double sampling (Tenenbein 1970, JASA 65). It needs no error rates from elsewhere, as Rogan and Gladen (1978) do.

The interval joins each stratum's mid-P interval by the method of variance estimates recovery (Zou and Donner 2008,
Stat. Med. 27), and adds the variance of the strata's own shares: what is estimated is the rate of the traffic from
which the units come, not of these units alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from scipy.optimize import brentq
from scipy.special import betainc, ndtri

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Hold units to which the detector gave the same answer.

    size: how many there are. minus, zero, plus: how many of those labelled have the value -1, 0 and 1. taken: the value
    that stands for all of them where none is labelled: what the detector says.
    """

    size: int
    minus: int = 0
    zero: int = 0
    plus: int = 0
    taken: float = 0.0

    @property
    def labelled(self) -> int:
        """Return how many units are labelled."""
        return self.minus + self.zero + self.plus


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Hold a mean over all units with its interval.

    labelled: labels that it rests on. taken: share of the units that are in strata without a label, and stand in it as
    the detector says: the interval holds if it is right there on average.
    """

    value: float
    lower: float
    upper: float
    labelled: int
    taken: float


def corrected(strata: Sequence[Stratum], *, signed: bool = False, level: float = LEVEL) -> Estimate | None:
    """Return the mean of the units' values; None where no unit is, or none is labelled.

    signed: values may be -1 (a difference of two answers), else they are 0 and 1. level: the interval's, in (0, 1).
    """
    size = sum(stratum.size for stratum in strata)
    labelled = sum(stratum.labelled for stratum in strata)
    if not size or not labelled:
        return None
    value = square = below = above = 0.0
    for stratum in strata:
        weight = stratum.size / size
        mean, lower, upper = _mean(stratum, level, signed=signed)
        value += weight * mean
        square += weight * mean * mean
        below += (weight * (mean - lower)) ** 2
        above += (weight * (upper - mean)) ** 2
    shares = float(ndtri(0.5 + level / 2.0)) ** 2 * max(square - value * value, 0.0) / size
    return Estimate(
        value=value,
        lower=max(value - math.sqrt(below + shares), -1.0 if signed else 0.0),
        upper=min(value + math.sqrt(above + shares), 1.0),
        labelled=labelled,
        taken=sum(stratum.size for stratum in strata if not stratum.labelled) / size,
    )


def _mean(stratum: Stratum, level: float, *, signed: bool) -> tuple[float, float, float]:
    """Return a stratum's mean with its interval: share of 1 less share of -1 (Newcombe 1998, Stat. Med. 17)."""
    n = stratum.labelled
    if not n:
        return stratum.taken, stratum.taken, stratum.taken
    up, down = stratum.plus / n, stratum.minus / n
    up_low, up_high = mid_p(stratum.plus, n, level)
    if not signed:
        return up, up_low, up_high
    down_low, down_high = mid_p(stratum.minus, n, level)
    room = (1.0 - up) * (1.0 - down)
    related = math.sqrt(up * down / room) if room else 1.0
    mean = up - down
    return (
        mean,
        mean - _joined(up - up_low, down_high - down, related),
        mean + _joined(up_high - up, down - down_low, related),
    )


def _joined(one: float, other: float, related: float) -> float:
    """Return the length of two errors together; related: their correlation."""
    return math.sqrt(one * one + other * other + 2.0 * related * one * other)


@lru_cache(maxsize=4096)
def mid_p(hits: int, n: int, level: float) -> tuple[float, float]:
    """Return the mid-P interval of a share (Lancaster 1961): the exact one, with half the chance of what was seen."""
    tail = (1.0 - level) / 2.0
    lower = _root(lambda p: _at_least(hits, n, p) - tail) if hits else 0.0
    upper = 1.0 - _root(lambda p: _at_least(n - hits, n, p) - tail) if hits < n else 1.0
    return lower, upper


def _at_least(hits: int, n: int, p: float) -> float:
    """Return the chance of more hits than these, and half of that of just these; hits: at least 1."""
    more = float(betainc(hits + 1, n - hits, p)) if hits < n else 0.0
    return (float(betainc(hits, n - hits + 1, p)) + more) / 2.0


def _root(rising: Callable[[float], float]) -> float:
    """Return where a function that rises from below 0 crosses it, in [0, 1]."""
    return float(brentq(rising, 0.0, 1.0, xtol=1e-10))
