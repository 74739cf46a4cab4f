"""Share of checkable answers that are right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.metrics._answer import read_answer
from gatekeeper.metrics._checks import check, fault
from gatekeeper.model.metric import MetricKind, MetricSpec, Score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.model.exchange import Exchange

SPEC = MetricSpec(
    name="task_success",
    title="task success",
    kind=MetricKind.RATE,
    columns=("task_success",),
    lower_is_better=False,
    unit="share",
)


def score(exchange: Exchange) -> Score:
    """Hold the answer against every expectation; all must hold.

    None where nothing is expected, and where some expectation cannot be checked: half a check is no success.
    """
    if not exchange.expect:
        return Score(None, "nothing is expected")
    answer = read_answer(exchange.response)
    if answer is None or not answer.spoken:
        return Score(None, "no words to judge")
    unusable = next(filter(None, map(fault, exchange.expect)), "")
    if unusable:
        return Score(None, unusable)
    verdicts = [{"type": each["type"], "held": bool(check(answer, each))} for each in exchange.expect]
    missed = [_name(each) for each, one in zip(exchange.expect, verdicts, strict=True) if not one["held"]]
    return Score(not missed, f"not met: {', '.join(missed)}" if missed else "", {"task": verdicts})


def _name(expectation: Mapping[str, Any]) -> str:
    kind = str(expectation["type"])
    return f"not {kind}" if expectation.get("not") else kind
