"""Mixtures of simple e-values on the log scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = -1e300
"""Terms below it count as nothing, -inf with them; no term is +inf."""


def log_sum(log_terms: NDArray[np.float64], axis: int = -1) -> Any:  # noqa: ANN401 - a float or an array by shape
    """Return log(sum(exp(terms))) along an axis; -inf where every term is -inf."""
    top = np.maximum(log_terms.max(axis=axis, keepdims=True), LEAST)
    terms = log_terms - top
    with np.errstate(divide="ignore"):
        return np.log(np.exp(terms, out=terms).sum(axis=axis)) + top.squeeze(axis)


def lognormal_weights(points: NDArray[np.float64], centre: float, spread: float) -> NDArray[np.float64]:
    """Return log weights of a log-spaced grid, summing to 1, lognormal around `centre` with log sd `spread`."""
    log_weights = -0.5 * (np.log(points / centre) / spread) ** 2
    return np.asarray(log_weights - log_sum(log_weights))
