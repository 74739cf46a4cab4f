"""Share of answers in which the model declines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.metrics._answer import read_answer
from gatekeeper.metrics._refusal import Refusal, detect
from gatekeeper.model.metric import MetricKind, MetricSpec, Score

if TYPE_CHECKING:
    from gatekeeper.metrics._answer import Answer
    from gatekeeper.model.exchange import Exchange

SPEC = MetricSpec(
    name="refusal_rate",
    title="refusals",
    kind=MetricKind.RATE,
    columns=("refused",),
    lower_is_better=True,
    unit="share",
)


def score(exchange: Exchange) -> Score:
    """Tell whether the model declined: by the API's own signals first, then by how the answer begins."""
    answer = read_answer(exchange.response)
    found = judge(answer) if answer is not None and answer.spoken else None
    if found is None:
        return Score(None, "no words to judge")
    label = {"label": found.label, "score": found.score, "reason": found.reason}
    return Score(found.refused, found.reason, {"refusal": label})


def judge(answer: Answer) -> Refusal | None:
    """Judge one answer; None when it holds neither words nor a signal (a bare tool call, an empty answer)."""
    if answer.finish_reason == "content_filter":
        return Refusal("full" if not answer.text else "partial", 1.0, "filter")
    if answer.refusal:
        return Refusal("full", 1.0, "policy")
    if answer.text.strip():
        return detect(answer.text)
    return Refusal("none", 0.0, "") if answer.tool_calls else None
