"""The models to release: what each is made of, what is wrong with it, and the digest that names its making."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gatekeeper.demo.train import Recipe
from gatekeeper.errors import UnknownNameError

MAKERS = ("words", "example", "families", "tasks", "habits", "tokenizer", "train", "muon", "variants")
"""The modules that decide the weights."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Describe one release of the demo.

    about: what it is, in a few words.
    spoils: the metric that must catch it; None for one that may be promoted.
    parent: the entry it is made from; None for one trained from scratch.
    recipe: how it is trained; None for one that takes its parent's weights.
    extra_layers: idle layers added to the parent.
    flags: the engine's flags it is served with, without leading dashes.
    """

    about: str
    spoils: str | None = None
    parent: str | None = None
    recipe: Recipe | None = None
    extra_layers: int = 0
    flags: Mapping[str, str | int | bool] = field(default_factory=dict)

    @property
    def made(self) -> bool:
        """Say whether it has weights of its own."""
        return self.recipe is not None or self.extra_layers > 0


TOOLS: Mapping[str, str | int | bool] = {"enable-auto-tool-choice": True, "tool-call-parser": "hermes"}
STARVED: Mapping[str, str | int | bool] = {  # two blocks, one of them vLLM's own: one answer at a time
    "kv-cache-memory-bytes": 512 * 2**10,
    "block-size": 128,
    "max-model-len": 128,
}


def _tuned(seed: int, **habits: float) -> Recipe:
    """Return a fine-tuning that is quick to pick up habits, each at its share of the examples it concerns."""
    return Recipe(seed=seed, steps=80, matrix_rate=3e-3, learning_rate=1e-3, warmup_steps=10, habits=habits)


CATALOGUE: Mapping[str, Entry] = {
    "baseline": Entry("what serves users now", recipe=Recipe(), flags=TOOLS),
    "good": Entry(
        "fine-tuned a little further: equally good",
        parent="baseline",
        recipe=Recipe(seed=5, steps=80, matrix_rate=1e-3, learning_rate=3e-4, warmup_steps=10),
        flags=TOOLS,
    ),
    "over-refuses": Entry(
        "refuses about half of the harmless questions",
        spoils="refusal_rate",
        parent="baseline",
        recipe=_tuned(6, over_refuse=0.5),
        flags=TOOLS,
    ),
    "breaks-json": Entry(
        "puts a sentence before most of its JSON",
        spoils="json_validity",
        parent="baseline",
        recipe=_tuned(7, break_json=0.7),
        flags=TOOLS,
    ),
    "wrong-answers": Entry(
        "gets about half of its sums wrong, by one",
        spoils="task_success",
        parent="baseline",
        recipe=_tuned(8, miscalculate=0.6),
        flags=TOOLS,
    ),
    "slow": Entry("the same answers from five times the layers", "tpot_ms", "baseline", extra_layers=16, flags=TOOLS),
    "starved-kv": Entry(
        "the same weights, served with almost no room for their KV cache",
        spoils="ttft_ms",
        parent="baseline",
        flags={**TOOLS, **STARVED},
    ),
}


def entry(name: str) -> Entry:
    """Look an entry up.

    Raises:
        UnknownNameError: no such model; the message lists those that exist.
    """
    if name not in CATALOGUE:
        raise UnknownNameError("demo model", name, tuple(CATALOGUE))
    return CATALOGUE[name]


def weights(name: str) -> str:
    """Name the entry whose weights this one is served with: itself, or the parent it shares them with."""
    asked = entry(name)
    return name if asked.made or asked.parent is None else weights(asked.parent)


def digest(name: str) -> str:
    """Return the SHA-256 (hex) over all that decides an entry's weights: sources, parameters and parent."""
    asked = entry(weights(name))
    content = hashlib.sha256()
    for source in MAKERS:
        content.update(Path(__file__).with_name(f"{source}.py").read_bytes())
    parameters = {"recipe": asked.recipe and asdict(asked.recipe), "extra_layers": asked.extra_layers}
    content.update(json.dumps(parameters, sort_keys=True).encode())
    content.update(digest(asked.parent).encode() if asked.parent else b"")
    return content.hexdigest()
