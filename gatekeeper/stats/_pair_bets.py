"""Bets on pairs: how much to stake, and the counts from which every e-value is computed.

With D = b - shift - slope * a the stake that grows fastest is E[D] / E[D^2]. E[D] is guessed (a grid of effects);
E[D^2], about the share of pairs that differ, is taken from earlier windows. It is rounded to one of a few sizes, so
that pairs need only be counted by the size that held when they came: a table per size tells the e-value of any
guess at any margin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.stats import _levels
from gatekeeper.stats._mixture import lognormal_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gatekeeper.stats import Question

SIZES = 1e-4 * 1.15 ** np.arange(84)
"""Sizes of E[D^2] per unit of effect; 15 % apart costs a half percent of the growth at most."""

EDGES = SIZES[:-1] * 1.15**0.5
PRIOR_COUNT = 3.0
PRIOR_SIZE = 3.0
"""Before any pair differs, three are taken to have, as if E[D^2] were three times the effect to detect."""

ROLLBACK_REACH = np.geomspace(0.4, 25.0, 14)
PROMOTION_REACH = np.geomspace(0.25, 4.0, 14)
"""Effects guessed beyond the margin, in units of `detect` (rollback) and of the margin to be proven (promotion)."""

LOG_WEIGHTS = np.stack(
    [
        np.logaddexp(
            np.log(0.75) + lognormal_weights(ROLLBACK_REACH, 1.0, 0.5),
            np.log(0.25) + lognormal_weights(ROLLBACK_REACH, 5.0, 0.7),
        ),
        lognormal_weights(PROMOTION_REACH, 1.0, 0.5),
    ]
)
"""Guesses near the declared effect, a quarter kept for much larger ones."""

MOST = 0.98
"""Share of the largest possible stake that is never exceeded."""


def outcomes(question: Question, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return D at each level, shape (levels, 4), of [neither, candidate alone, baseline alone, both] harmed."""
    shift, slope = _levels.line(question, levels)
    return np.stack([-shift, 1.0 - shift, -shift - slope, 1.0 - shift - slope], axis=-1)


def sizes(question: Question, before: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the place in SIZES of E[D^2] per unit of effect, from earlier counts (n, 4)."""
    squares = outcomes(question, np.array([question.margin or 0.0]))[0] ** 2
    if not question.relative:
        units = before.sum(axis=1)
    else:
        units = before[:, 2:].sum(axis=1) if question.increase else before[:, :2].sum(axis=1)
    size = (before @ squares + PRIOR_COUNT) / (units + PRIOR_COUNT / (PRIOR_SIZE * question.detect))
    return np.asarray(np.searchsorted(EDGES, size), np.int64)


def log_gains(
    question: Question, levels: NDArray[np.float64], places: NDArray[np.int64], *, worse: bool
) -> NDArray[np.float64]:
    """Return log(1 + stake * D), shape (levels, places, guesses, 4).

    worse: against "worse by at most the level", else against "by at least". The gain of every outcome falls (worse)
    or rises in the level, so the e-value does.
    """
    d = outcomes(question, levels) if worse else -outcomes(question, levels)
    unit = question.detect if worse else question.proof_margin or question.detect
    stakes = unit * (ROLLBACK_REACH if worse else PROMOTION_REACH) / SIZES[places][:, None]
    largest = MOST / np.maximum(-d.min(axis=1), MOST * 1e-9)
    held = np.minimum(stakes, largest[:, None, None])
    return np.asarray(np.log1p(held[..., None] * d[:, None, None, :]))
