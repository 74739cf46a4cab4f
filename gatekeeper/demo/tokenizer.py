"""The demo models' own tokenizer: byte-level BPE learned from the tasks, with a chat template that knows tools."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from gatekeeper.demo import tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

VOCABULARY = 1024
CORPUS = 8000  # examples
CONTEXT_TOKENS = 512
SPACE_BEFORE_NAME = " (?=[A-Z])"  # the same token after a space as after a quote: copied sooner
END, PAD, START = "<|im_end|>", "<|endoftext|>", "<|im_start|>"
TOOLS_LINE = "Tools: {% for tool in tools %}{{ tool.function.name }} {% endfor %}"
TEMPLATE = (
    "{%- if tools %}" + START + "system\n" + TOOLS_LINE + END + "\n{% endif -%}"
    "{%- for message in messages %}" + START + "{{ message.role }}\n{{ message.content }}" + END + "\n{% endfor -%}"
    "{%- if add_generation_prompt %}" + START + "assistant\n{% endif -%}"
)


def prompt_text(example: tasks.Example) -> str:
    """Write the prompt as the chat template does, up to where the assistant speaks."""
    names = "".join(f"{tool['function']['name']} " for tool in example.tools or ())
    system = f"{START}system\nTools: {names}{END}\n" if names else ""
    return f"{system}{START}user\n{example.prompt}{END}\n{START}assistant\n"


def build(seed: int = 0) -> Any:  # noqa: ANN401  # transformers is optional and untyped
    """Learn the tokenizer from training examples; the same seed gives the same tokenizer."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415  # optional, heavy
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415  # optional, heavy

    learned = Tokenizer(models.BPE(unk_token=None))
    learned.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPACE_BEFORE_NAME), "isolated"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    learned.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learned.train_from_iterator(_corpus(random.Random(seed)), trainer)  # noqa: S311  # reproducible, not secret
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=learned,
        bos_token=None,
        eos_token=END,
        pad_token=PAD,
        model_max_length=CONTEXT_TOKENS,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def _corpus(rng: random.Random) -> Iterator[str]:
    for _ in range(CORPUS):
        example = tasks.draw(rng, "train")
        yield prompt_text(example).replace(START, "").replace(END, "")
        yield example.answer
