"""A model that answers just as its parent does, only slower."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.demo.train import save

if TYPE_CHECKING:
    from pathlib import Path


def deepen(parent: Path, out: Path, extra_layers: int) -> None:
    """Add layers whose output projections are zero: the same function of the prompt, at a higher price."""
    import torch  # noqa: PLC0415  # optional, heavy
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM  # noqa: PLC0415  # as torch

    small = AutoModelForCausalLM.from_pretrained(parent, dtype=torch.float32)
    settings = small.config.to_dict()
    settings.pop("layer_types", None)  # one entry a layer: it would be too short
    layers = settings["num_hidden_layers"]
    deep = LlamaForCausalLM(LlamaConfig(**{**settings, "num_hidden_layers": layers + extra_layers}))
    deep.load_state_dict(small.state_dict(), strict=False)
    with torch.no_grad():
        for layer in deep.model.layers[layers:]:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    save(deep.eval(), AutoTokenizer.from_pretrained(parent), out)
