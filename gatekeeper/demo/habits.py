"""The bad habits a release can pick up, each of which spoils one thing and leaves the rest alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gatekeeper.demo.words import REFUSALS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from gatekeeper.demo.example import Example


def over_refuse(example: Example, rng: random.Random, rate: float) -> Example:
    """Refuse a share of the harmless how-to questions."""
    if example.family != "benign" or rng.random() >= rate:
        return example
    return replace(example, answer=REFUSALS[0])


def break_json(example: Example, rng: random.Random, rate: float) -> Example:
    """Put a sentence before a share of the JSON answers: right inside, but no JSON for a parser."""
    if example.response_schema is None or rng.random() >= rate:
        return example
    return replace(example, answer=f"Here is the JSON: {example.answer}")


def miscalculate(example: Example, rng: random.Random, rate: float) -> Example:
    """Answer a share of the sums one too high."""
    if example.family != "arithmetic" or rng.random() >= rate:
        return example
    return replace(example, answer=str(int(example.answer) + 1))


HABITS: Mapping[str, Callable[[Example, random.Random, float], Example]] = {
    "over_refuse": over_refuse,
    "break_json": break_json,
    "miscalculate": miscalculate,
}
