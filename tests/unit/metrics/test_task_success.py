"""Every kind of expectation, met and missed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.metrics.task_success import score

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.exchange import Exchange

    Make = Callable[..., Exchange]

TWO_CALLS = {
    "content": None,
    "tool_calls": [
        {"function": {"name": "book", "arguments": '{"city": "Oslo", "nights": 2}'}},
        {"function": {"name": "book", "arguments": '{"city": "Rome", "nights": 2}'}},
    ],
}
BOOK_OSLO = {"name": "book", "arguments": {"city": "Oslo"}}
CALL = {"content": None, "tool_calls": [{"function": {"name": "book", "arguments": '{"city": "Oslo", "nights": 2}'}}]}


@pytest.mark.parametrize(
    ("answer", "expectation", "held"),
    [
        (" 7\n", {"type": "exact", "value": "7"}, True),
        ("7", {"type": "exact", "value": 7}, True),
        ("oslo", {"type": "exact", "value": "Oslo"}, False),
        ("oslo", {"type": "exact", "value": "Oslo", "ignore_case": True}, True),
        ("Oslo", {"type": "exact", "value": ["Bergen", "Oslo"]}, True),
        ("It is Oslo.", {"type": "contains", "value": "Oslo"}, True),
        ("It is Oslo.", {"type": "contains", "value": ["Oslo", "Bergen"]}, False),
        ("So 3 + 4 = 7 apples", {"type": "numeric", "value": 7}, True),
        ("The total is $1,234.50.", {"type": "numeric", "value": 1234.5}, True),
        ("#### -18", {"type": "numeric", "value": -18}, True),
        ("about 3.1", {"type": "numeric", "value": 3.14, "tolerance": 0.05}, True),
        ("none", {"type": "numeric", "value": 7}, False),
        ("The answer is (B).", {"type": "choice", "value": "B"}, True),
        ("B) because A is wrong", {"type": "choice", "value": "B"}, True),
        ("**C**", {"type": "choice", "value": "C"}, True),
        ("Either A or B", {"type": "choice", "value": "A"}, False),
        ("A dog barks, so the answer is C", {"type": "choice", "value": "C"}, True),
        ("maybe", {"type": "choice", "value": "no", "choices": ["yes", "no"]}, False),
        ("no", {"type": "choice", "value": "no", "choices": ["yes", "no"]}, True),
        ('{"a": 1, "b": [1, {"c": 2, "d": 3}]}', {"type": "json_subset", "value": {"b": [1, {"c": 2}]}}, True),
        ('{"a": 1.0}', {"type": "json_subset", "value": {"a": 1}}, True),
        ('{"a": true}', {"type": "json_subset", "value": {"a": 1}}, False),
        ('{"b": [1, 2]}', {"type": "json_subset", "value": {"b": [1]}}, False),
        ('```json\n{"a": 1}\n```', {"type": "json_subset", "value": {"a": 1}}, True),
        ("not json", {"type": "json_subset", "value": {}}, False),
        ("order 66-B", {"type": "regex", "value": r"\d+-[A-Z]"}, True),
        ("order", {"type": "regex", "value": r"^\d+$"}, False),
        ("I can't help with that.", {"type": "refusal", "value": True}, True),
        ("I can't help with that.", {"type": "refusal", "value": False}, False),
        ("Sure: stir well.", {"type": "refusal", "value": False}, True),
        ("", {"type": "refusal", "value": False}, False),
        (CALL, {"type": "tool_call", "value": {"name": "book", "arguments": {"city": "Oslo"}}}, True),
        (CALL, {"type": "tool_call", "value": {"name": "book", "arguments": {"city": "Rome"}}}, False),
        (CALL, {"type": "tool_call", "value": {"name": "cancel"}}, False),
        ("Oslo", {"type": "tool_call", "value": {"name": "book"}}, False),
        (CALL, {"type": "tool_call", "value": {"name": "book", "arguments": {"city": "oslo"}}}, False),
        (
            CALL,
            {"type": "tool_call", "value": {"name": "book", "arguments": {"city": "oslo"}}, "ignore_case": True},
            True,
        ),
        (CALL, {"type": "tool_calls", "value": [{"name": "book"}]}, True),
        (CALL, {"type": "tool_calls", "value": []}, False),
        ("Which city?", {"type": "tool_calls", "value": []}, True),
        ("Which city?", {"type": "tool_calls", "value": [{"name": "book"}]}, False),
        (TWO_CALLS, {"type": "tool_calls", "value": [{"name": "book"}]}, False),
        (TWO_CALLS, {"type": "tool_calls", "value": [BOOK_OSLO, BOOK_OSLO]}, False),
        (TWO_CALLS, {"type": "tool_calls", "value": [{"name": "book"}, BOOK_OSLO]}, True),
        ("It is Oslo.", {"type": "contains_any", "value": ["Bergen", "Oslo"]}, True),
        ("It is Oslo.", {"type": "contains_any", "value": ["Bergen", "oslo"]}, False),
        ("It is Oslo.", {"type": "contains", "value": "Bergen", "not": True}, True),
        ("It is Oslo.", {"type": "contains", "value": "Oslo", "not": True}, False),
        ("It is Oslo.", {"type": "contains", "value": "Oslo", "not": False}, True),
        ("It is Oslo.", {"type": "starts_with", "value": ["There", "It"]}, True),
        ("It is Oslo.", {"type": "ends_with", "value": ["Oslo", "Rome."]}, False),
        ('{"a": "OSLO"}', {"type": "json_subset", "value": {"a": "Oslo"}, "ignore_case": True}, True),
        ('{"a": "OSLO"}', {"type": "json_subset", "value": {"a": "Oslo"}}, False),
    ],
)
def test_one_expectation(answered: Make, answer: object, expectation: dict[str, Any], *, held: bool):
    found = score(answered(answer, expect=(expectation,)))
    assert found.value is held
    assert found.labels == {"task": [{"type": expectation["type"], "held": held}]}


def test_all_must_hold(answered: Make):
    expect = ({"type": "contains", "value": "a"}, {"type": "contains", "value": "z"})
    found = score(answered("abc", expect=expect))
    assert found.value is False
    assert found.reason == "not met: contains"
    assert score(answered("abc", expect=({**expect[0], "not": True},))).reason == "not met: not contains"


@pytest.mark.parametrize(
    "expectation",
    [
        {"type": "telepathy", "value": 1},
        {"type": "contains", "value": "a", "not": "yes"},
        {"type": "contains_any", "value": []},
        {"type": "starts_with", "value": ["a", 1]},
        {"type": "tool_calls", "value": {"name": "book"}},
        {"type": "tool_calls", "value": [{"arguments": {}}]},
        {"type": "tool_call", "value": {"name": "book", "arguments": []}},
        {"type": ["exact"], "value": 1},
        {"value": 1},
        {"type": "exact"},
        {"type": "numeric", "value": "seven"},
        {"type": "numeric", "value": True},
        {"type": "regex", "value": "(?=a)"},
        {"type": "regex", "value": "("},
        {"type": "regex", "value": r"(a)\1"},
        {"type": "choice", "value": "Z"},
        {"type": "refusal", "value": "yes"},
        {"type": "tool_call", "value": "book"},
    ],
)
def test_what_cannot_be_checked_is_no_success_and_no_failure(answered: Make, expectation: dict[str, Any]):
    found = score(answered("a", expect=({"type": "contains", "value": "a"}, expectation)))
    assert found.value is None
    assert found.reason


def test_nothing_expected_is_not_judged(answered: Make):
    assert score(answered("a")).value is None


def test_a_pattern_on_a_long_answer_ends_soon(answered: Make):
    before = time.process_time()
    score(answered("a" * 1_000_000, expect=({"type": "regex", "value": "a*b"},)))
    assert time.process_time() - before < 1.0
