"""Harm that begins late: a mixture over the window in which it began.

A product of window e-values that has run through a long healthy time has lost most of its stake, and sees later harm
late. S_k = (S_(k-1) + w_k) e_k adds, before each window, a fresh stake w_k for harm that begins there; with the stakes
summing to 1 it is an e-process wherever the e_k are (a mixture over start times, as in Shin, Ramdas and Rinaldo 2024,
e-detectors).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FROM_THE_START = 0.95
"""Stake on harm that is there from the first window."""

POWER, OFFSET = 1.5, 10.0
"""The other stakes fall as (k + 10)^-1.5: slowly, since a late start is as likely as an early one, and summing to 1."""


TOTAL = 0.6170388553398864
"""Sum of (k + 10)^-1.5 over k >= 1: the Hurwitz zeta function at 1.5 and 11."""

LOG_SCALE = math.log1p(-FROM_THE_START) - math.log(TOTAL)


def absorb(late: NDArray[np.float64], window: Any, log_step: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: ANN401 - a number or an array
    """Return log S_k of each bet, from late: log S_(k-1) (-inf at first), and log_step: log e_k.

    window: k from 1, a number or an array that broadcasts.
    """
    return np.asarray(np.logaddexp(late, LOG_SCALE - POWER * np.log(window + OFFSET)) + log_step)


def together(log_e: NDArray[np.float64], late: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log e-value of both stakes: log_e from the start, late from `absorb`."""
    return np.asarray(np.logaddexp(log_e + math.log(FROM_THE_START), late))
