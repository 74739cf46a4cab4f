"""The sides of a comparison."""

from __future__ import annotations

from enum import StrEnum


class Arm(StrEnum):
    """Name the side that served a request.

    BASELINE serves users now; CANDIDATE is under test; CONTROL is the baseline again, a fresh cohort of the
    canary's size (A/A noise, fair caches and load).
    """

    BASELINE = "baseline"
    CANDIDATE = "candidate"
    CONTROL = "control"
