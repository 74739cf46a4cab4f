"""Share of an answer's quotations, numbers and names that stand in the context it was given, or in the question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.metrics._answer import prompt_text, read_answer
from gatekeeper.metrics._grounds import Grounds, claims
from gatekeeper.model.metric import MetricKind, MetricSpec, Score

if TYPE_CHECKING:
    from gatekeeper.model.exchange import Exchange

SPEC = MetricSpec(
    name="groundedness",
    title="groundedness",
    kind=MetricKind.NUMBER,
    columns=("extra.groundedness",),
    lower_is_better=False,
    unit="share",
)


def score(exchange: Exchange) -> Score:
    """Return the share of what can be looked up that is there, 0 to 1; None without a context or without such claims.

    The labels count them and give kind and place of each that was not found.
    """
    if not exchange.context:
        return Score(None, "no context was given")
    answer = read_answer(exchange.response)
    stated = list(claims(answer.text)) if answer is not None else []
    if answer is None or not stated:
        return Score(None, "no quotation, number or name to look up")
    grounds = Grounds(f"{prompt_text(exchange.request)}\n{exchange.context}")
    found = {"quote": grounds.quotes, "number": grounds.counts, "name": grounds.names}
    missing = [
        {"kind": kind, "start": start, "end": end}
        for kind, start, end in stated
        if not found[kind](answer.text[start:end])
    ]
    share = 1 - len(missing) / len(stated)
    return Score(share, "", {"groundedness": {"checked": len(stated), "missing": missing}})
