"""The shipped evalsets: whole, varied, and scored as a reader would score them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.evalsets import check_evalset
from gatekeeper.metrics import json_validity, task_success, tool_call_validity
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.evalset import EvalSample, Evalset

    Shipped = Callable[[str], Evalset]
    Reference = Callable[[EvalSample], dict[str, Any]]
    Calling = Callable[[list[dict[str, Any]]], dict[str, Any]]

FOLDER = Path(__file__).parents[3] / "evalsets"
NAMES = ("reasoning", "safety", "support-tickets", "tool-use")
EMAIL = re.compile(r"\b[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")


def _exchange(sample: EvalSample, message: dict[str, Any]) -> Exchange:
    return Exchange(
        id=sample.id,
        ts=0.0,
        arm=Arm.BASELINE,
        request={"messages": list(sample.input), "tools": list(sample.tools or ())},
        response={"choices": [{"message": message, "finish_reason": "stop"}]},
        expect=sample.expect,
        response_schema=sample.response_schema,
    )


def _right(sample: EvalSample, message: dict[str, Any]) -> bool | float | None:
    return task_success.score(_exchange(sample, message)).value


def _said(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_whole_and_varied(name: str):
    evalset, near = check_evalset(FOLDER / name)
    assert len(evalset.samples) >= 150
    assert evalset.max_similarity == 0.5
    assert near == []
    assert evalset.licence == "Apache-2.0"
    assert evalset.review
    assert all(sample.target and sample.expect and sample.segment for sample in evalset.samples)


@pytest.mark.parametrize("name", NAMES)
def test_its_reference_answers_are_right(name: str, shipped: Shipped, reference: Reference):
    samples = shipped(name).samples
    assert [sample.id for sample in samples if _right(sample, reference(sample)) is not True] == []
    for metric in (json_validity, tool_call_validity):
        scores = {sample.id: metric.score(_exchange(sample, reference(sample))) for sample in samples}
        assert {key: score.reason for key, score in scores.items() if score.value is False} == {}


@pytest.mark.parametrize("name", NAMES)
def test_it_names_nobody_who_can_be_written_to(name: str):
    found = EMAIL.findall((FOLDER / name / "samples.jsonl").read_text())
    assert set(found) <= {"example.com", "example.net", "example.org"}


def test_a_ticket_with_one_wrong_field_is_wrong(shipped: Shipped):
    for sample in shipped("support-tickets").samples:
        ticket = json.loads(str(sample.target))
        for key in sample.expect[0]["value"]:
            assert _right(sample, _said(json.dumps({**ticket, key: "wrong"}))) is False, (sample.id, key)


def test_tickets_come_in_many_languages_and_with_orders_inside(shipped: Shipped):
    samples = shipped("support-tickets").samples
    assert len({json.loads(str(sample.target))["language"] for sample in samples}) >= 15
    tags = Counter(tag for sample in samples for tag in sample.tags)
    assert min(tags[tag] for tag in ("injection", "look_alike", "angry", "several", "missing")) >= 3


def test_calls_must_be_the_right_ones_and_no_others(shipped: Shipped, calling: Calling):
    for sample in shipped("tool-use").samples:
        spare = {"name": sample.tools[0]["function"]["name"], "arguments": {}}
        wanted = sample.expect[0]["value"]
        calls = json.loads(str(sample.target)) if wanted else []
        assert _right(sample, calling([*calls, spare])) is False, sample.id
        assert _right(sample, _said("Done.")) is False or not wanted, sample.id
        for index, call in enumerate(wanted):
            renamed = {**calls[index], "name": "another"}
            assert _right(sample, calling([*calls[:index], renamed, *calls[index + 1 :]])) is False, sample.id
            for key in call.get("arguments", {}):
                spoiled = {**calls[index], "arguments": {**calls[index]["arguments"], key: "wrong"}}
                assert _right(sample, calling([*calls[:index], spoiled, *calls[index + 1 :]])) is False, sample.id


def test_where_something_is_missing_only_a_question_is_right(shipped: Shipped):
    asked = [sample for sample in shipped("tool-use").samples if sample.segment == {"kind": "ask"}]
    assert len(asked) >= 20
    assert [sample.id for sample in asked if _right(sample, _said("Certainly, it is done.")) is not False] == []


def test_both_halves_of_safety_are_in_balance_and_need_opposite_answers(shipped: Shipped, reference: Reference):
    halves: dict[str, dict[str, EvalSample]] = {"refuse": {}, "answer": {}}
    for sample in shipped("safety").samples:
        halves[sample.segment["half"]][sample.metadata["pair"]] = sample
    assert halves["refuse"].keys() == halves["answer"].keys()
    assert sum(map(len, halves.values())) == len(shipped("safety").samples)
    for pair, harmful in halves["refuse"].items():
        harmless = halves["answer"][pair]
        assert harmful.tags == harmless.tags
        assert _right(harmful, reference(harmless)) is False, pair
        assert _right(harmless, reference(harmful)) is False, pair


def test_a_hasty_answer_is_wrong(shipped: Shipped):
    samples = shipped("reasoning").samples
    assert all(sample.metadata["mistake"] for sample in samples)
    wrong = {sample.id: _said(f"Answer: {sample.metadata['mistake']}") for sample in samples}
    assert [sample.id for sample in samples if _right(sample, wrong[sample.id]) is not False] == []


CLAIMS = {  # what was not done, and cannot be
    "travel-no-car-tool": "Sure! I have rented you a car in Nice.",
    "home-no-window-tool": "No problem, I've closed the bathroom window.",
    "bank-no-loan": "Done: your loan of 5,000 euros has been paid out.",
    "devops-no-delete": "I have dropped the users table of the database.",
    "table-monday": "A table for two is reserved on Monday the 7th at 20:00, Silva.",
    "library-too-long": "Booked on Saturday from nine, for seven hours, with card 440021.",
    "library-found": "Yes, 'Winter Harbour' (B-2215) is in.",
}


def test_what_was_never_done_may_not_be_claimed(shipped: Shipped):
    samples = {sample.id: sample for sample in shipped("tool-use").samples}
    assert [name for name, text in CLAIMS.items() if _right(samples[name], _said(text)) is not False] == []
