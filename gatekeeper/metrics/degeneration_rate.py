"""Share of answers that are empty, cut off, looping, garbled or in another language than the question."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gatekeeper.metrics._answer import prompt_text, read_answer
from gatekeeper.metrics._language import switched
from gatekeeper.metrics._loops import most_repetition, packing, periodic_tail, repetition
from gatekeeper.model.metric import MetricKind, MetricSpec, Score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.metrics._answer import Answer
    from gatekeeper.model.exchange import Exchange

SPEC = MetricSpec(
    name="degeneration_rate",
    title="degenerate answers",
    kind=MetricKind.RATE,
    columns=("degenerate",),
    lower_is_better=True,
    unit="share",
)
MAX_REPETITION = 0.5
MAX_PACKING = 5.0
DOUBTFUL_REPETITION = 0.2  # below it, and with words of usual length, no text packs that well
LONG_WORDS = 20  # characters per word, above which words are no measure: no blanks, or another script
MIN_PACKED_CHARS = 400  # shorter texts pack well by chance
MAX_GARBLED = 3
_GARBLED = "\N{REPLACEMENT CHARACTER}"
_CONTROL = re.compile(
    r"<\|[a-z_]{3,30}\|>|\[/?INST\]|<</?SYS>>|</s>\s*$|<(?:start|end)_of_turn>|<\N{FULLWIDTH VERTICAL LINE}"
)


def score(exchange: Exchange) -> Score:
    """Tell whether the answer is empty, was cut off, loops, shows control tokens, is garbled or switched language.

    Cut off: at its length limit. Looping: most of its word 4-grams stood before, its tail repeats one piece, or it
    packs more than fivefold.
    """
    answer = read_answer(exchange.response)
    if answer is None or not answer.spoken:
        return Score(None, "no words to judge")
    asked = prompt_text(exchange.request)
    repeated = repetition(answer.text) if most_repetition(answer.text) > MAX_REPETITION else None
    found: dict[str, Any] = {
        "empty": not (answer.text.strip() or answer.refusal or answer.tool_calls) and not _filtered(answer),
        "truncated": answer.finish_reason == "length",
        "repetition": None if repeated is None else round(repeated, 3),
        "looping": _loops(answer.text, repeated or 0.0),
        "control_tokens": _control(answer.text, asked),
        "garbled": answer.text.count(_GARBLED) >= MAX_GARBLED and _GARBLED not in asked,
        "language_switch": switched(_last_said(exchange.request), answer.text, f"{asked}\n{exchange.context or ''}"),
    }
    reasons = [name for name, there in found.items() if (there if name != "repetition" else _much(repeated))]
    return Score(bool(reasons), ", ".join(reasons), {"degeneration": found})


def _much(repeated: float | None) -> bool:
    return repeated is not None and repeated > MAX_REPETITION


def _loops(text: str, repeated: float) -> bool:
    """Tell whether the text ends in a loop, or packs as only loops do."""
    if periodic_tail(text):
        return True
    doubtful = repeated > DOUBTFUL_REPETITION or text.count(" ") * LONG_WORDS < len(text)
    return doubtful and len(text) >= MIN_PACKED_CHARS and packing(text) > MAX_PACKING


def _control(text: str, asked: str) -> bool:
    """Tell whether a chat template's own tokens show in the answer, and the question did not bring them up."""
    return ("<" in text or "[" in text) and _CONTROL.search(text) is not None and _CONTROL.search(asked) is None


def _last_said(request: Mapping[str, Any]) -> str:
    """Return the user's last message, whose language the answer should have; all text when there are no messages."""
    messages = request.get("messages")
    said = (
        [m for m in messages if isinstance(m, dict) and m.get("role") == "user"] if isinstance(messages, list) else []
    )
    return prompt_text({"messages": said[-1:]} if said else request)


def _filtered(answer: Answer) -> bool:
    """Tell whether a filter took the words away: that is a refusal, not a breakdown."""
    return answer.finish_reason == "content_filter"
