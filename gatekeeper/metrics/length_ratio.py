"""How long answers are, as a logarithm: between paired arms, the mean difference is the log ratio of their lengths."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gatekeeper.metrics._answer import read_answer
from gatekeeper.model.metric import MetricKind, MetricSpec, Score

if TYPE_CHECKING:
    from gatekeeper.model.exchange import Exchange

SPEC = MetricSpec(
    name="length_ratio",
    title="answer length",
    kind=MetricKind.NUMBER,
    columns=("extra.log_length",),
    lower_is_better=True,
    unit="log characters",
)


def score(exchange: Exchange) -> Score:
    """Return the natural logarithm of the answer's length in characters; None when it has no words."""
    answer = read_answer(exchange.response)
    length = len(answer.text.strip()) if answer is not None else 0
    return Score(math.log(length)) if length else Score(None, "no words to measure")
