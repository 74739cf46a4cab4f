"""Synthetic traffic whose truth is known: Bernoulli answers, lognormal times and costs, drawn straight into columns."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.decide import power
from gatekeeper.decide._information import standing
from gatekeeper.decide.columns import ARMS, Columns
from gatekeeper.decide.plan import Stream
from gatekeeper.decide.power import Typical
from gatekeeper.model.arm import Arm
from gatekeeper.model.metric import MetricKind
from gatekeeper.stats import _levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from gatekeeper.decide.power import Setting

BASELINE = ARMS.index(Arm.BASELINE)
CANDIDATE = ARMS.index(Arm.CANDIDATE)
SUCCESSES = 0.8
"""Share of successes under a cost per success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Hold one question's truth: how its metric behaves in the baseline, and by how much the candidate is worse."""

    stream: Stream
    typical: Typical
    harm: float


def copied(stream: Stream, number: int) -> Stream:
    """Return a stream that asks the same of columns of its own."""
    name = f"{stream.name}#{number}"
    columns = tuple(f"{name}.{place}" for place in range(len(stream.spec.columns)))
    return replace(stream, name=name, spec=replace(stream.spec, name=name, columns=columns))


def window(
    sources: Sequence[Source], setting: Setting, start: int, n: int, segments: Sequence[str], rng: Generator
) -> Columns:
    """Draw n rows (both arms together), the first of them at second `start`, with every source's columns.

    Each segment key has two values, seven and three in ten rows, alike in everything.
    """
    if setting.paired:
        n += n % 2
        arm = np.tile(np.array([BASELINE, CANDIDATE], np.int8), n // 2)
        pair = np.repeat(np.arange(n // 2), 2) + start
        group = np.repeat(rng.random(n // 2) < 0.3, 2)  # noqa: PLR2004 - as the docstring says
    else:
        mine = rng.random(n) < 1.0 / (1.0 + setting.ratio)
        arm = np.where(mine, CANDIDATE, BASELINE).astype(np.int8)
        pair = np.full(n, -1, np.int64)
        group = rng.random(n) < 0.3  # noqa: PLR2004 - as above
    values: dict[str, NDArray[np.float64]] = {}
    for source in sources:
        drawn = _drawn(source, setting, arm, rng)
        values |= dict(zip(source.stream.spec.columns, drawn, strict=True))
    return Columns(
        ts=np.arange(start, start + n, dtype=np.float64),
        arm=arm,
        pair=pair,
        cluster=np.full(n, -1, np.int64),
        errored=np.zeros(n, np.bool_),
        values=values,
        segments={key: (group.astype(np.int64), [f"{key}=a", f"{key}=b"]) for key in segments},
    )


def _drawn(source: Source, setting: Setting, arm: NDArray[np.int8], rng: Generator) -> list[NDArray[np.float64]]:
    """Draw one source's columns; nan where the metric does not apply."""
    stream, typical = source.stream, source.typical
    if stream.spec.kind is MetricKind.RATE:
        drawn = [_answers(source, setting, arm, rng)]
    else:
        drawn = _numbers(source, setting, arm, rng)
    if typical.share < 1.0:
        applies = rng.random(len(arm) // 2 if setting.paired else len(arm)) < typical.share
        absent = ~(np.repeat(applies, 2) if setting.paired else applies)
        for column in drawn:
            column[absent] = np.nan
    return drawn


def rates_of(source: Source) -> tuple[float, float]:
    """Return both arms' rates of the harmful answer."""
    question, value = source.stream.question, source.typical.value or 0.0
    a = value if question.increase else 1.0 - value
    if source.stream.is_limit:
        limit = question.limit or 0.0
        bound = limit if question.increase else 1.0 - limit
        return a, min(max(bound * (1.0 + source.harm), 0.0), 1.0)
    shift, slope = (float(part) for part in _levels.line(question, np.array(source.harm)))
    return a, min(max(shift + slope * a, 0.0), 1.0)


def _answers(source: Source, setting: Setting, arm: NDArray[np.int8], rng: Generator) -> NDArray[np.float64]:
    """Draw answers of 0 and 1."""
    a, b = rates_of(source)
    if setting.paired:
        both = a * b + source.typical.correlation * math.sqrt(a * (1.0 - a) * b * (1.0 - b))
        both = min(max(both, a + b - 1.0, 0.0), a, b)
        u = rng.random(len(arm) // 2)
        harm = np.stack([u < a, (u < both) | ((u >= a) & (u < a + b - both))], axis=1).reshape(-1)
    else:
        harm = rng.random(len(arm)) < np.where(arm == CANDIDATE, b, a)
    return (harm if source.stream.question.increase else ~harm).astype(np.float64)


def _numbers(source: Source, setting: Setting, arm: NDArray[np.int8], rng: Generator) -> list[NDArray[np.float64]]:
    """Draw lognormal numbers with the wanted quantile or mean; of a quotient, the denominator too."""
    stream, typical = source.stream, source.typical
    question, value = stream.question, typical.value or 1.0
    if setting.paired:
        z = rng.standard_normal((len(arm) // 2, 2))
        z[:, 1] = typical.correlation * z[:, 0] + math.sqrt(1.0 - typical.correlation**2) * z[:, 1]
        z = z.reshape(-1)
    else:
        z = rng.standard_normal(len(arm))
    bottom = None
    if len(stream.spec.columns) > 1:
        success = max(SUCCESSES, 1.0 / (1.0 + typical.spread**2 / 2.0))
        bottom = (rng.random(len(arm)) < success).astype(np.float64)
        spread = math.sqrt(math.log1p(max(typical.spread**2 - (1.0 - success) / success, 0.01)))
        middle = value * success * math.exp(-spread * spread / 2.0)
    elif question.quantile is not None:
        spread = typical.spread
        middle = value * math.exp(-spread * standing(question.quantile))
    else:
        spread = math.sqrt(math.log1p(typical.spread**2))
        middle = value * math.exp(-spread * spread / 2.0)
    top = middle * np.exp(spread * z) * np.where(arm == CANDIDATE, _factor(source, value), 1.0)
    return [top] if bottom is None else [top, bottom]


def _factor(source: Source, value: float) -> float:
    """Return candidate over baseline."""
    question = source.stream.question
    if source.stream.is_limit:
        beyond = 1.0 + source.harm if question.increase else 1.0 - source.harm
        return (question.limit or value) * beyond / value
    harm = source.harm if question.relative else source.harm / value
    return max(1.0 + harm if question.increase else 1.0 - harm, 1e-6)


def harm_at(stream: Stream, typical: Typical, scenario: str) -> float:
    """Return the candidate's harm in a scenario: `equal`, `margin` (exactly at it), `beyond` (by `detect`)."""
    if scenario == "equal":
        return power.no_change(stream, typical) or 0.0
    if scenario == "margin":
        return 0.0 if stream.is_limit else stream.question.proof_margin or stream.question.margin or 0.0
    return min(power.worth_catching(stream), power.most_harm(stream, typical))
