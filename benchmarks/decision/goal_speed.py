"""Goals 3 and 7: how soon a regression of a rate is seen, from the start and after a long clean stretch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import draws
import gate
import limits
import numpy as np
import ours
from figures import Case, mean, median, share, speed

if TYPE_CHECKING:
    from figures import Figure

ALPHA = 0.05
LOOKS_PER_LIMIT = 40
LONGEST = 8.0
"""Simulations end after so many limits; what is undecided then counts as decided there."""

AT_MDE = (1.05, 1.22, 0.98)
BEYOND_MDE = (None, 1.5, 0.98)
CLEAN, ONSET_LOOKS, PER_ARM = 10_000, 100, 100

DECLARED = [
    ("2 -> 3%, detect 1pp", 0.0, 0.01, 0.02, 0.03, AT_MDE),
    ("2 -> 5%, detect 3pp", 0.0, 0.03, 0.02, 0.05, AT_MDE),
    ("1 -> 3%, detect 2pp", 0.0, 0.02, 0.01, 0.03, AT_MDE),
    ("20 -> 25%, detect 5pp", 0.0, 0.05, 0.20, 0.25, AT_MDE),
    ("2 -> 4%, margin 1pp, detect 1pp", 0.01, 0.01, 0.02, 0.04, AT_MDE),
    ("2 -> 5%, margin 1pp, detect 2pp", 0.01, 0.02, 0.02, 0.05, AT_MDE),
    ("20 -> 28%, margin 3pp, detect 5pp", 0.03, 0.05, 0.20, 0.28, AT_MDE),
    *[(f"2 -> {2 + k}%, detect 1pp ({k} x)", 0.0, 0.01, 0.02, 0.02 + 0.01 * k, BEYOND_MDE) for k in (2, 3, 4, 6, 8)],
    *[
        (f"2 -> {3 + k}%, margin 1pp, detect 1pp ({k} x)", 0.01, 0.01, 0.02, 0.03 + 0.01 * k, BEYOND_MDE)
        for k in (2, 4, 8)
    ],
]


def _speed(
    margin: float,
    detect: float,
    p_a: float,
    p_b: float,
    bounds: tuple[float | None, float | None, float | None],
    name: str,
    replicates: int,
    rng: np.random.Generator,
) -> list[Figure]:
    """Look forty times within each limit until the regression is seen."""
    asked = ours.stream("refusal_rate", margin, detect, alpha=ALPHA)
    limit = limits.rates(p_a, p_b, asked.question.margin or 0.0, ALPHA)
    per_arm = max(round(limit / LOOKS_PER_LIMIT), 2)
    count = int(LONGEST * limit / per_arm) + 1
    rates = draws.constant(p_a), draws.constant(p_b)
    at = ours.judge(asked, draws.as_counts(draws.counts(rng, replicates, count, per_arm, rates)), replicates).rollback
    seen = np.where(at > 0, at, count) * float(per_arm)
    return speed(name, seen, at > 0, limit, bounds)


def _ruled(detect: float, p_a: float, p_b: float, name: str, replicates: int, rng: np.random.Generator) -> list[Figure]:
    """Look until the judge rules at all: what is proven within `detect` is promoted, at most alpha of the time here."""
    budget = {"false_rollback": ALPHA, "false_promotion": ALPHA}
    policy = {"metrics": {"refusal_rate": {"max_increase": 0, "detect": detect}}, "error_budget": budget}
    limit = limits.rates(p_a, p_b, 0.0, ALPHA)
    per_arm = max(round(limit / LOOKS_PER_LIMIT), 2)
    rates = draws.constant(p_a), draws.constant(p_b)
    looks = draws.as_counts(draws.counts(rng, replicates, int(5.0 * limit / per_arm), per_arm, rates))
    kinds, _ = gate.judge(gate.streams(policy), ([batches] for batches in looks), replicates)
    return [
        share(name, "rolled back by 5 limits", kinds == gate.ROLLBACK),
        share(name, "false promotion", kinds == gate.PROMOTE, ALPHA),
    ]


def _onset(detect: float, bound: float | None, name: str, replicates: int, rng: np.random.Generator) -> list[Figure]:
    """Let refusals rise from 2 to 5 % after ten thousand clean requests per arm."""
    asked = ours.stream("refusal_rate", 0.0, detect, alpha=ALPHA)
    clean = CLEAN // PER_ARM

    def candidate(look: int) -> float:
        return 0.02 if look < clean else 0.05

    looks = draws.counts(rng, replicates, clean + ONSET_LOOKS, PER_ARM, (draws.constant(0.02), candidate))
    at = ours.judge(asked, draws.as_counts(looks), replicates).rollback
    early = (at > 0) & (at <= clean)
    delay = np.where(at > 0, at - clean, ONSET_LOOKS)[~early] * float(PER_ARM)
    return [
        median(name, "median delay per arm", delay, bound),
        mean(name, "mean delay per arm", delay),
        share(name, "false rollback before", early, ALPHA),
    ]


def cases() -> list[Case]:
    """List the simulations of both goals."""
    found = [
        Case(goal=3, name=name, run=partial(_speed, margin, detect, p_a, p_b, bounds), replicates=1000)
        for name, margin, detect, p_a, p_b, bounds in DECLARED
    ]
    found += [
        Case(goal=3, name=f"{name}, first ruling", run=partial(_ruled, detect, p_a, p_b), replicates=1000)
        for name, margin, detect, p_a, p_b, bounds in DECLARED
        if margin == 0.0 and bounds == AT_MDE
    ]
    for detect in (0.03, 0.01):
        name = f"2 -> 5% after 10,000 clean per arm, detect {100 * detect:.0f}pp"
        found.append(Case(goal=7, name=name, run=partial(_onset, detect, 1700.0), replicates=1000))
    return found
