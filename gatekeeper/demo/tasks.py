"""Synthetic chat tasks with checkable answers: drawn by seed, split by prompt, and solved when met again."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, Literal

from gatekeeper.demo.example import EXPECT_HEADER, Example, body, headers
from gatekeeper.demo.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "EVAL_SIZES",
    "EXPECT_HEADER",
    "FAMILIES",
    "Example",
    "body",
    "draw",
    "evalset",
    "headers",
    "held_out",
    "solve",
]

Split = Literal["train", "held_out", "any"]

EVAL_SIZES: Mapping[str, int] = {
    "order": 80,
    "ticket": 60,
    "harmful": 60,
    "benign": 80,
    "arithmetic": 100,
    "capital": 10,
    "opposite": 10,
    "day": 3,
    "weather": 12,
}
HELD_OUT_OF_256 = 38  # about 15 %


def held_out(prompt: str) -> bool:
    """Say whether a prompt is kept away from training, by its hash: the same answer wherever it is drawn."""
    return hashlib.sha256(prompt.encode()).digest()[0] < HELD_OUT_OF_256


def draw(rng: random.Random, split: Split = "any", family: str | None = None) -> Example:
    """Draw one example of the split; the family by its training weight unless it is named.

    Raises:
        KeyError: no such family.
    """
    while True:
        name = family or rng.choices(tuple(FAMILIES), [each.weight for each in FAMILIES.values()])[0]
        example = FAMILIES[name].draw(rng)
        if split == "any" or held_out(example.prompt) == (split == "held_out"):
            return example


def evalset(sizes: Mapping[str, int] = EVAL_SIZES, seed: int = 7) -> tuple[Example, ...]:
    """Draw distinct held-out examples, as many of each family as asked.

    Raises:
        ValueError: a family has fewer held-out prompts than asked for.
    """
    rng = random.Random(seed)  # noqa: S311  # a reproducible draw, not a secret
    chosen: dict[str, Example] = {}
    for family, size in sizes.items():
        for _ in range(200 * size):
            if sum(example.family == family for example in chosen.values()) == size:
                break
            example = draw(rng, "held_out", family)
            chosen.setdefault(example.prompt, example)
        else:
            raise ValueError(f"family {family!r} has fewer than {size} held-out prompts; ask for less")
    return tuple(chosen.values())


def solve(prompt: str) -> Example | None:
    """Find the example a prompt came from by reading its sentence backwards; None for a prompt of no family."""
    return next((found for family in FAMILIES.values() if (found := family.solve(prompt))), None)
