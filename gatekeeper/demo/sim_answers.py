"""What the demo's models would say, for the simulated engine: the right answer, spoiled by the model's own habit."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from gatekeeper.demo.catalogue import entry
from gatekeeper.demo.habits import HABITS
from gatekeeper.demo.tasks import solve

if TYPE_CHECKING:
    from collections.abc import Mapping

SLIPS = 0.015  # the share of closed questions that any model gets wrong
SLIPPERY = frozenset({"arithmetic", "capital", "opposite", "day"})
UNKNOWN = "I can help with orders, tickets, sums and small questions."
ANSWERS = "gatekeeper.demo.sim_answers:answer"
PACES: Mapping[str, Mapping[str, int]] = {
    "slow": {"tpot-ms": 5},
    "starved-kv": {"ttft-ms": 60, "slots": 4},  # few fit into the cache at once: the others wait
}


def flags(model: str) -> dict[str, str | int | bool]:
    """Return the simulated engine's flags for a model of the catalogue.

    Raises:
        UnknownNameError: no such model.
    """
    entry(model)
    return {"answers": ANSWERS, **PACES.get(model, {})}


def answer(model: str, prompt: str, seed: int | None) -> str:
    """Say what the model answers; the same model, prompt and seed always get the same words.

    Raises:
        UnknownNameError: no such model.
    """
    recipe = entry(model).recipe
    example = solve(prompt)
    if example is None:
        return UNKNOWN
    rng = random.Random(f"{model}|{prompt}|{seed}")  # noqa: S311  # reproducible, not secret
    told = example
    for habit, rate in (recipe.habits if recipe else {}).items():
        told = HABITS[habit](told, rng, rate)
    slipped = told == example and example.family in SLIPPERY and rng.random() < SLIPS
    return f"{told.answer}?" if slipped else told.answer
