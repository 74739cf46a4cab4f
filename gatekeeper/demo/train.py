"""Training a tiny Llama from scratch, or a little further, on the CPU: one thread, loss on the answers alone."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gatekeeper.demo import tasks, tokenizer
from gatekeeper.demo.habits import HABITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Row = tuple[list[int], list[float]]  # token ids, and each token's weight in the loss: 0 within the prompt


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hold everything that decides what a training ends with.

    matrix_rate: Muon's learning rate, for the layers' matrices: they learn to copy names in half the steps.
    learning_rate: AdamW's, for embeddings and norms.
    habits: bad habit to the share of its examples that show it; see `habits.HABITS`.
    """

    seed: int = 0
    steps: int = 550
    matrix_rate: float = 1e-2
    learning_rate: float = 3e-3
    batch: int = 32
    warmup_steps: int = 50
    layers: int = 4
    hidden: int = 128
    habits: Mapping[str, float] = field(default_factory=dict)


def train(recipe: Recipe, out: Path, parent: Path | None, progress: Callable[[float], None]) -> float:
    """Train by the recipe, from scratch or from the model in `parent`, and save model and tokenizer to `out`.

    progress: called now and then with the share that is done, 0 to 1.

    Returns:
        The smoothed loss at the end.
    """
    import torch  # noqa: PLC0415  # optional, heavy
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415  # optional, heavy

    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    if parent is None:
        encoder = tokenizer.build()
        model = _fresh(recipe, encoder)
    else:
        encoder = AutoTokenizer.from_pretrained(parent)
        model = AutoModelForCausalLM.from_pretrained(parent, dtype=torch.float32)
    optimizers = _optimizers(recipe, model)
    batches = _batches(recipe, encoder)
    model.train()
    smoothed = math.nan
    for step in range(recipe.steps):
        loss = _loss(model, next(batches))
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, peak in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = peak * _share_of_peak(recipe, step)
            optimizer.step()
        smoothed = loss.item() if math.isnan(smoothed) else 0.95 * smoothed + 0.05 * loss.item()
        progress((step + 1) / recipe.steps)
    save(model.eval(), encoder, out)
    return smoothed


def save(model: Any, encoder: Any, out: Path) -> None:  # noqa: ANN401  # transformers is optional and untyped
    """Write a model in bfloat16, and its tokenizer, as a directory that vLLM serves."""
    import torch  # noqa: PLC0415  # optional, heavy

    model.to(torch.bfloat16).save_pretrained(out)
    encoder.save_pretrained(out)


def _fresh(recipe: Recipe, encoder: Any) -> Any:  # noqa: ANN401  # transformers is optional and untyped
    from transformers import LlamaConfig, LlamaForCausalLM  # noqa: PLC0415  # optional, heavy

    heads = recipe.hidden // 32
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=math.ceil(len(encoder) / 64) * 64,
            hidden_size=recipe.hidden,
            num_hidden_layers=recipe.layers,
            num_attention_heads=heads,
            num_key_value_heads=heads // 2,
            head_dim=32,
            intermediate_size=recipe.hidden * 3,
            max_position_embeddings=tokenizer.CONTEXT_TOKENS,
            tie_word_embeddings=True,
            initializer_range=0.08,  # far below 1 / sqrt(hidden) it takes hundreds of steps to begin to copy
            rms_norm_eps=1e-5,
            bos_token_id=None,
            eos_token_id=encoder.eos_token_id,
            pad_token_id=encoder.pad_token_id,
        )
    )


def _optimizers(recipe: Recipe, model: Any) -> list[tuple[Any, float]]:  # noqa: ANN401  # as above
    """Pair each optimizer with its peak learning rate: Muon for the layers' matrices, AdamW for the rest."""
    import torch  # noqa: PLC0415  # optional, heavy

    from gatekeeper.demo.muon import Muon  # noqa: PLC0415  # needs torch

    matrices = [weight for weight in model.model.layers.parameters() if weight.dim() == 2]  # noqa: PLR2004  # rows and columns
    taken = set(map(id, matrices))
    rest = [weight for weight in model.parameters() if id(weight) not in taken]
    return [
        (Muon(matrices), recipe.matrix_rate),
        (torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=0.05, fused=True), recipe.learning_rate),
    ]


def _share_of_peak(recipe: Recipe, step: int) -> float:
    """Return the step's share of the peak learning rate: a linear warm-up under a cosine that ends at 2 %."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / recipe.steps))
    return min(1.0, (step + 1) / recipe.warmup_steps) * (0.98 * cosine + 0.02)


def _loss(model: Any, rows: list[Row]) -> Any:  # noqa: ANN401  # torch is optional and untyped
    """Return the weighted cross-entropy of the answers; the vocabulary is scored at answer tokens only."""
    import torch  # noqa: PLC0415  # optional, heavy

    width = max(len(ids) for ids, _ in rows)
    pad = model.config.pad_token_id
    ids = torch.tensor([row + [pad] * (width - len(row)) for row, _ in rows])
    weights = torch.tensor([weight + [0.0] * (width - len(weight)) for _, weight in rows])[:, 1:]
    answers = weights > 0
    hidden = model.model(ids[:, :-1]).last_hidden_state[answers]
    losses = torch.nn.functional.cross_entropy(model.lm_head(hidden), ids[:, 1:][answers], reduction="none")
    kept = weights[answers]
    return (losses * kept).sum() / kept.sum()


def _batches(recipe: Recipe, encoder: Any) -> Iterator[list[Row]]:  # noqa: ANN401  # as above
    """Draw batches for ever, rows of like length together: little padding."""
    rng = random.Random(recipe.seed + 1000)  # noqa: S311  # reproducible, not secret
    while True:
        rows = [_row(encoder, _spoiled(recipe, tasks.draw(rng, "train"), rng)) for _ in range(recipe.batch * 4)]
        rows.sort(key=lambda row: len(row[0]) + rng.random() * 8)
        pool = [rows[start : start + recipe.batch] for start in range(0, len(rows), recipe.batch)]
        rng.shuffle(pool)
        yield from pool


def _spoiled(recipe: Recipe, example: tasks.Example, rng: random.Random) -> tasks.Example:
    for habit, rate in recipe.habits.items():
        example = HABITS[habit](example, rng, rate)
    return example


def _row(encoder: Any, example: tasks.Example) -> Row:  # noqa: ANN401  # as above
    """Encode an example; each answer weighs by the root of its length, so that short ones are not drowned."""
    asked = encoder(tokenizer.prompt_text(example), add_special_tokens=False).input_ids
    answered = encoder(example.answer + tokenizer.END, add_special_tokens=False).input_ids
    return asked + answered, [0.0] * len(asked) + [len(answered) ** -0.5] * len(answered)
