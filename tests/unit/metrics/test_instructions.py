"""Instructions that a program can check, followed and not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.metrics._answer import Answer
from gatekeeper.metrics._checks import CHECKS, fault
from gatekeeper.metrics._instructions import COUNTS
from gatekeeper.metrics.task_success import score

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.exchange import Exchange

    Make = Callable[..., Exchange]

TEXT = """# Plan

Don't wait: it's 3.5 km, so go. Really? Yes!

- first, [name]
* second
2) third and last"""


@pytest.mark.parametrize(
    ("unit", "count"),
    [
        ("bullets", 3),
        ("characters", len(TEXT)),
        ("commas", 2),
        ("headings", 1),
        ("lines", 5),
        ("paragraphs", 3),
        ("placeholders", 1),
        ("sentences", 4),
        ("words", 18),
    ],
)
def test_what_is_counted(unit: str, count: int):
    assert COUNTS[unit](TEXT) == count
    assert CHECKS["count"](Answer(text=f"\n{TEXT}  "), {"value": unit, "min": count, "max": count}) is True
    assert CHECKS["count"](Answer(text=TEXT), {"value": unit, "min": count + 1}) is False
    assert CHECKS["count"](Answer(text=TEXT), {"value": unit, "max": count - 1}) is False


@pytest.mark.parametrize(
    ("answer", "expectation", "held"),
    [
        ("A cat, two Cats, one CAT", {"type": "keyword", "value": "cat"}, True),
        ("A cat, two Cats, one CAT", {"type": "keyword", "value": "cat", "min": 2, "max": 2}, True),
        ("concatenate", {"type": "keyword", "value": "cat"}, False),
        ("concatenate", {"type": "keyword", "value": "cat", "max": 0}, True),
        ("ALL 4 OF US", {"type": "case", "value": "upper"}, True),
        ("all 4 of Us", {"type": "case", "value": "lower"}, False),
        ("42", {"type": "case", "value": "lower"}, False),
        (" Dear Ann,\nhello", {"type": "starts_with", "value": "Dear Ann"}, True),
        ("Hello", {"type": "starts_with", "value": "Dear"}, False),
        ("Is that all?\n", {"type": "ends_with", "value": "all?"}, True),
        ("Is that all? Yes", {"type": "ends_with", "value": "all?"}, False),
    ],
)
def test_one_instruction(answered: Make, answer: str, expectation: dict[str, Any], *, held: bool):
    assert score(answered(answer, expect=(expectation,))).value is held


@pytest.mark.parametrize(
    "expectation",
    [
        {"type": "count", "value": "verses", "min": 1},
        {"type": "count", "value": ["words"], "min": 1},
        {"type": "count", "value": "words"},
        {"type": "count", "value": "words", "min": "ten"},
        {"type": "count", "value": "words", "max": True},
        {"type": "keyword", "value": " "},
        {"type": "keyword", "value": "cat", "min": -1},
        {"type": "case", "value": "title"},
        {"type": "case", "value": ["upper"]},
        {"type": "starts_with", "value": ""},
        {"type": "ends_with", "value": 3},
    ],
)
def test_what_cannot_be_checked_is_told(expectation: dict[str, Any]):
    assert fault(expectation)


def test_long_answers_are_counted_soon():
    before = time.process_time()
    for text in ("a" * 200_000, "[" * 200_000, " \n" * 100_000, "- " * 100_000, "a-" * 100_000, "." * 200_000):
        for count in COUNTS.values():
            count(text)
    assert time.process_time() - before < 1.0
