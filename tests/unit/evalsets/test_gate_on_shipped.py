"""The gate on each shipped evalset, with its own policy, against arms that are plain functions."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.decide.policyfile import parse_policy
from gatekeeper.flow.gate import Asking, gate
from gatekeeper.model.arm import Arm
from gatekeeper.model.finding import Ruling, VerdictKind
from gatekeeper.model.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.flow._asking import Ask
    from gatekeeper.model.evalset import EvalSample, Evalset
    from gatekeeper.model.finding import Report

    Reference = Callable[[EvalSample], dict[str, Any]]

FOLDER = Path(__file__).parents[3] / "evalsets"
NAMES = ("reasoning", "safety", "support-tickets", "tool-use")
DECLINES = {"role": "assistant", "content": "I'm sorry, but I can't help with that."}


def _arm(evalset: Evalset, answer: Callable[[EvalSample], dict[str, Any]]) -> Ask:
    """Return an endpoint that knows each prompt of the evalset."""
    known = {json.dumps(sample.input): sample for sample in evalset.samples}

    async def ask(body: dict[str, Any]) -> Reply:
        message = answer(known[json.dumps(body["messages"])])
        return Reply(response={"choices": [{"message": message, "finish_reason": "stop"}]})

    return ask


def _judged(evalset: Evalset, baseline: Ask, candidate: Ask) -> Report:
    policy = parse_policy((FOLDER / evalset.name / "policy.yaml").read_text())
    ticks = iter(range(10**6))
    ask = {Arm.BASELINE: baseline, Arm.CANDIDATE: candidate}
    return asyncio.run(gate(policy, evalset, Asking(ask=ask, now=lambda: float(next(ticks)))))


@pytest.mark.parametrize("name", NAMES)
def test_an_equal_release_is_promoted(name: str, shipped: Callable[[str], Evalset], reference: Reference):
    evalset = shipped(name)
    report = _judged(evalset, _arm(evalset, reference), _arm(evalset, reference))
    assert report.verdict is VerdictKind.PROMOTE, report.reasons
    decided = [finding for finding in report.findings if finding.margin is not None]
    assert {finding.ruling for finding in decided} == {Ruling.PASS}
    assert "task_success" in {finding.metric for finding in decided}


@pytest.mark.parametrize("name", NAMES)
def test_a_release_that_declines_every_third_prompt_is_rolled_back(
    name: str, shipped: Callable[[str], Evalset], reference: Reference
):
    evalset = shipped(name)
    order = {sample.id: place for place, sample in enumerate(evalset.samples)}
    spoiled = _arm(evalset, lambda sample: DECLINES if order[sample.id] % 3 == 0 else reference(sample))
    report = _judged(evalset, _arm(evalset, reference), spoiled)
    assert report.verdict is VerdictKind.ROLLBACK, report.reasons
    assert "task_success" in " ".join(report.reasons)
