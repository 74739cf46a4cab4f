"""The judge and its peers on the same data: how often an equal candidate is stopped, and how soon a worse one."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import draws
import limits
import numpy as np
import ours
import peers
import rollouts

from gatekeeper.model.finding import VerdictKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20_262
ALPHA = 0.05
OURS = "gatekeeper's judge"
WHOLE = "gatekeeper's judge, through `analyze`"
ORACLE = "oracle that knows both rates"
LIMITS = 5
"""Simulations of a worse candidate end after so many limits of the effect that the policy declares."""

SHOWN = (1, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Describe one: looks after every `per_arm` requests of each arm; effect: what the policy declares to detect."""

    p_a: float
    p_b: float
    effect: float
    per_arm: int
    replicates: int
    analyzed: int = 0

    @property
    def looks(self) -> int:
        """Return how many looks are planned: a hundred at an equal candidate, else up to five limits."""
        if self.p_a == self.p_b:
            return 100
        return int(LIMITS * limits.rates(self.p_a, self.p_a + self.effect, 0.0, ALPHA) / self.per_arm) + 1


SIMULATIONS = {
    "A/A 2%": Simulation(p_a=0.02, p_b=0.02, effect=0.01, per_arm=100, replicates=4000, analyzed=200),
    "2 -> 3%": Simulation(p_a=0.02, p_b=0.03, effect=0.01, per_arm=100, replicates=1000, analyzed=100),
    "2 -> 3.5%": Simulation(p_a=0.02, p_b=0.035, effect=0.01, per_arm=50, replicates=1000),
    "2 -> 4%": Simulation(p_a=0.02, p_b=0.04, effect=0.01, per_arm=50, replicates=1000),
    "2 -> 5%": Simulation(p_a=0.02, p_b=0.05, effect=0.01, per_arm=20, replicates=1000),
    "2 -> 7%": Simulation(p_a=0.02, p_b=0.07, effect=0.01, per_arm=10, replicates=1000),
    "2 -> 10%": Simulation(p_a=0.02, p_b=0.10, effect=0.01, per_arm=10, replicates=1000),
    "1 -> 3%": Simulation(p_a=0.01, p_b=0.03, effect=0.02, per_arm=20, replicates=1000),
    "20 -> 25%": Simulation(p_a=0.20, p_b=0.25, effect=0.05, per_arm=20, replicates=1000),
}


def measure(name: str, most: int | None) -> dict[str, Any]:
    """Run one simulation; return what each rule did."""
    started = time.perf_counter()
    asked = SIMULATIONS[name]
    rng = np.random.default_rng([SEED, list(SIMULATIONS).index(name)])
    replicates = asked.replicates if most is None else min(asked.replicates, most)
    rates = draws.constant(asked.p_a), draws.constant(asked.p_b)
    looks = list(draws.counts(rng, replicates, asked.looks, asked.per_arm, rates))
    counts = np.cumsum(np.stack([look.sum(axis=1) for look in looks], axis=1), axis=1)
    stream = ours.stream("refusal_rate", 0.0, asked.effect, alpha=ALPHA)
    at = {rule: peers.first(decide(counts, ALPHA, asked.effect)) for rule, decide in peers.RULES.items()}
    at[OURS] = ours.judge(stream, draws.as_counts(iter(looks)), replicates).rollback
    if asked.p_a != asked.p_b:
        at[ORACLE] = peers.first(peers.oracle(counts, ALPHA, (asked.p_a, asked.p_b)))
    if asked.analyzed:
        some = asked.analyzed if most is None else min(asked.analyzed, most)
        at[WHOLE] = _analyzed(asked, some, rng)
    limit = limits.rates(asked.p_a, asked.p_b, 0.0, ALPHA) if asked.p_a != asked.p_b else None
    summary = {rule: _summary(asked, looks, limit) for rule, looks in at.items()}
    plain = {"p_a": asked.p_a, "p_b": asked.p_b, "effect": asked.effect, "per_arm": asked.per_arm}
    return {**plain, "looks": asked.looks, "limit": limit, "rules": summary, "seconds": time.perf_counter() - started}


def _analyzed(asked: Simulation, replicates: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return at which look `analyze` rolled back, 0 for never."""
    policy = {
        "metrics": {"refusal_rate": {"max_increase": 0, "detect": asked.effect}},
        "error_budget": {"false_rollback": ALPHA},
    }
    at = np.zeros(replicates, np.int64)
    for i in range(replicates):
        candidate = rollouts.taking_turns(asked.looks * asked.per_arm)
        refused = rng.random(len(candidate)) < np.where(candidate, asked.p_b, asked.p_a)
        kind, seen = rollouts.verdict(rollouts.table(candidate, refused=refused), policy, 2 * asked.per_arm)
        at[i] = seen // asked.per_arm if kind is VerdictKind.ROLLBACK else 0
    return at


def _summary(asked: Simulation, at: NDArray[np.int64], limit: float | None) -> dict[str, Any]:
    """Return a rule's figures; samples per arm, those without a decision counted as decided at the end."""
    n = len(at)
    stopped = at > 0
    by_look = [float(np.mean(stopped & (at <= look))) for look in range(1, asked.looks + 1)]
    result: dict[str, Any] = {"replicates": n, "stopped": by_look[-1], "error": _error(by_look[-1], n)}
    if limit is None:
        return {**result, "by_look": by_look}
    seen = np.where(stopped, at, asked.looks) * float(asked.per_arm)
    in_time = float(np.mean(stopped & (seen <= LIMITS * limit)))
    return {
        **result,
        "median": float(np.median(seen)),
        "mean": float(np.mean(seen)),
        "mean_error": float(np.std(seen)) / n**0.5,
        "power_at_5_limits": in_time,
        "power_error": _error(in_time, n),
    }


def _error(share: float, n: int) -> float:
    """Return a share's standard error, that of one case where there is none."""
    return math.sqrt(max(share * (1.0 - share), 1.0 / n) / n)
