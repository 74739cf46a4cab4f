"""Share of answers that are empty, cut off or looping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.metrics._answer import read_answer
from gatekeeper.model.metric import MetricKind, MetricSpec, Score

if TYPE_CHECKING:
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
GRAM_WORDS = 4
MIN_GRAMS = 16  # shorter answers repeat themselves by chance
MAX_REPETITION = 0.5


def score(exchange: Exchange) -> Score:
    """Tell whether the answer is empty, was cut off at its length limit, or repeats most of its word 4-grams."""
    answer = read_answer(exchange.response)
    if answer is None or not answer.spoken:
        return Score(None, "no words to judge")
    found: dict[str, Any] = {
        "empty": not (answer.text.strip() or answer.refusal or answer.tool_calls) and not _filtered(answer),
        "truncated": answer.finish_reason == "length",
        "repetition": round(repetition(answer.text), 3),
    }
    reasons = [name for name in ("empty", "truncated") if found[name]]
    reasons += ["repetition"] if found["repetition"] > MAX_REPETITION else []
    return Score(bool(reasons), ", ".join(reasons), {"degeneration": found})


def repetition(text: str) -> float:
    """Return the share of word 4-grams that stood in the text before; 0 for texts of fewer than 19 words."""
    words = text.split()
    grams = len(words) - GRAM_WORDS + 1
    if grams < MIN_GRAMS:
        return 0.0
    return 1 - len(set(zip(words, words[1:], words[2:], words[3:], strict=False))) / grams


def _filtered(answer: Answer) -> bool:
    """Tell whether a filter took the words away: that is a refusal, not a breakdown."""
    return answer.finish_reason == "content_filter"
