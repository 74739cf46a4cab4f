"""Goal 8: a whole gate of six metrics, judged by `analyze` with a look after every 200 samples."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import draws
import gate
import numpy as np
import rollouts
from figures import Case, median, share

from gatekeeper.model.finding import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from figures import Figure
    from numpy.typing import NDArray

    from gatekeeper.stats import Batch

PER_ARM, LOOK_EVERY = 10_000, 200
AT_ONCE = 1_000
POLICY = {
    "metrics": {
        "refusal_rate": {"max_increase": "1pp"},
        "json_validity": {"max_decrease": "1pp"},
        "task_success": {"max_decrease": "3pp"},
        "error_rate": {"max_increase": "1pp"},
        "ttft_ms.p95": {"max_increase": "10%"},
        "cost_usd": {"max_increase": "5%"},
    },
    "error_budget": {"false_rollback": 0.05, "false_promotion": 0.05},
}
"""The gate; the false-rollback budget is divided by six."""

EQUAL = {"refused": 0.02, "json_valid": 0.99, "task_success": 0.80, "error": 0.005, "ttft_ms": 1.0, "cost_usd": 1.0}
"""The baseline's rates, and factors on its latency (lognormal, sigma .8) and cost (lognormal, sigma .6)."""

SIGMAS = {"ttft_ms": 0.8, "cost_usd": 0.6}
SCALES = {"ttft_ms": 300.0, "cost_usd": 0.002}

SCENARIOS: dict[str, tuple[dict[str, float], float, float | None]] = {
    "refusals 2 -> 5%": ({"refused": 0.05}, 0.99, 1800.0),
    "valid JSON 99 -> 97%": ({"json_valid": 0.97}, 0.95, 3500.0),
    "p95 x 1.5": ({"ttft_ms": 1.5}, 0.99, 1000.0),
    "cost x 1.2": ({"cost_usd": 1.2}, 0.99, None),
}
"""What is changed in the candidate, how often it must be rolled back, and by how many samples per arm (median)."""


def _samples(rng: np.random.Generator, changed: dict[str, float]) -> pa.Table:
    """Return one rollout's samples."""
    candidate = rollouts.taking_turns(PER_ARM)
    columns: dict[str, Any] = {}
    for name, base in EQUAL.items():
        value = np.where(candidate, changed.get(name, base), base)
        if name in SIGMAS:
            columns[name] = value * SCALES[name] * rng.lognormal(0.0, SIGMAS[name], len(candidate))
        else:
            columns[name] = rng.random(len(candidate)) < value
    return rollouts.table(candidate, **columns)


def _looks(rng: np.random.Generator, replicates: int, changed: dict[str, float]) -> Iterator[list[list[Batch]]]:
    """Yield each look's batches by stream, in the policy's order."""
    per_look = LOOK_EVERY // 2
    count = PER_ARM // per_look
    parts: list[Iterator[list[Batch]]] = []
    for name, base in EQUAL.items():
        other = changed.get(name, base)
        if name in SIGMAS:
            parts.append(draws.numbers(rng, replicates, count, per_look, partial(_number, name, (base, other))))
        else:
            rates = draws.constant(base), draws.constant(other)
            parts.append(draws.as_counts(draws.counts(rng, replicates, count, per_look, rates)))
    return (list(batches) for batches in zip(*parts, strict=True))


def _number(
    name: str, factors: tuple[float, float], rng: np.random.Generator, shape: tuple[int, int], arm: int
) -> NDArray[np.float64]:
    """Return an arm's latencies or costs."""
    return factors[arm] * SCALES[name] * rng.lognormal(0.0, SIGMAS[name], shape)


def _run(
    changed: dict[str, float], replicates: int, rng: np.random.Generator, *, whole: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return verdicts and samples per arm of many rollouts, by the tests alone or through all of `analyze`."""
    if not whole:
        sizes = [min(AT_ONCE, replicates - start) for start in range(0, replicates, AT_ONCE)]
        parts = [gate.judge(gate.streams(POLICY), _looks(rng, size, changed), size) for size in sizes]
        kinds, looks = (np.concatenate(each) for each in zip(*parts, strict=True))
        return kinds, np.asarray(looks * (LOOK_EVERY / 2.0), np.float64)
    codes = {VerdictKind.ROLLBACK: gate.ROLLBACK, VerdictKind.HOLD: gate.HOLD, VerdictKind.PROMOTE: gate.PROMOTE}
    found = [rollouts.verdict(_samples(rng, changed), POLICY, LOOK_EVERY) for _ in range(replicates)]
    return np.array([codes[kind] for kind, _ in found]), np.array([float(n) for _, n in found])


def _equal(name: str, replicates: int, rng: np.random.Generator, *, whole: bool) -> list[Figure]:
    """Judge an equal candidate."""
    kinds, seen = _run({}, replicates, rng, whole=whole)
    promoted = kinds == gate.PROMOTE
    figures = [
        share(name, "rolled back", kinds == gate.ROLLBACK, 0.01),
        share(name, "promoted", promoted, 0.85, at_most=False),
    ]
    return [*figures, median(name, "median n to promotion", seen[promoted])] if promoted.any() else figures


def _worse(
    changed: dict[str, float],
    power: float,
    samples: float | None,
    name: str,
    replicates: int,
    rng: np.random.Generator,
    *,
    whole: bool,
) -> list[Figure]:
    """Judge a candidate that is worse in one metric."""
    kinds, seen = _run(changed, replicates, rng, whole=whole)
    rolled = kinds == gate.ROLLBACK
    return [
        share(name, "rolled back", rolled, power, at_most=False),
        median(name, "median n per arm", np.where(rolled, seen, float(PER_ARM)), samples),
        share(name, "promoted", kinds == gate.PROMOTE),
    ]


def cases() -> list[Case]:
    """List the goal's simulations: many by the tests alone, fewer through `analyze`."""
    found: list[Case] = []
    for whole, replicates, equal, by in ((False, 1000, 4000, "gate"), (True, 100, 100, "gate through analyze")):
        found.append(Case(goal=8, name=f"{by}, equal candidate", run=partial(_equal, whole=whole), replicates=equal))
        for what, (changed, power, samples) in SCENARIOS.items():
            run = partial(_worse, changed, power, samples, whole=whole)
            found.append(Case(goal=8, name=f"{by}, {what}", run=run, replicates=replicates))
    return found
