"""Answers as text, whatever they are."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def pairs() -> ModuleType:
    """Give the module, once the pages' folder is on the path."""
    return importlib.import_module("pairs")


def reply(**message: Any) -> dict[str, Any]:  # noqa: ANN401 - a message's own values
    return {"response": {"choices": [{"message": message}]}}


def test_an_answer_is_its_words_its_calls_or_its_failure(pairs: ModuleType):
    assert pairs.answer(reply(content="four")) == "four"
    assert '"name": "add"' in pairs.answer(reply(content=None, tool_calls=[{"function": {"name": "add"}}]))
    assert pairs.answer({"error": {"class": "timeout", "message": "m"}}) == "failed: timeout"
    for empty in ({}, {"response": None}, {"response": {"choices": []}}, reply(content=None)):
        assert pairs.answer(empty) == ""


def test_a_prompt_is_the_last_message_in_any_shape(pairs: ModuleType):
    parts = [{"type": "image_url", "image_url": {"url": "http://x.invalid/a.png"}}]
    assert pairs.prompt({"request": {"messages": [{"content": "a"}, {"content": "b"}]}}) == "b"
    assert "x.invalid" in pairs.prompt({"request": {"messages": [{"content": parts}]}})
    assert pairs.prompt({}) == ""


def test_a_long_answer_is_cut_and_says_so(pairs: ModuleType):
    shown = pairs.answer(reply(content="x" * (pairs.MOST_CHARS + 1_234)))
    assert shown.endswith("… 1,234 characters more")


def test_the_difference_is_the_lines_that_differ(pairs: ModuleType):
    assert pairs.difference("a\nb", "a\nc") == " a\n-b\n+c"
    assert pairs.difference("a", "a") == ""
