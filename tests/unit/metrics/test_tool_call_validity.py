"""Calls of tools, well-formed and not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.metrics.tool_call_validity import score

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.exchange import Exchange

    Make = Callable[..., Exchange]

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
OFFER = {
    "tools": [
        {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}},
        {"type": "function", "function": {"name": "now"}},
    ]
}


def _calls(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"content": None, "tool_calls": [{"type": "function", "function": each} for each in calls]}


@pytest.mark.parametrize(
    ("call", "valid"),
    [
        ({"name": "get_weather", "arguments": '{"city": "Oslo"}'}, True),
        ({"name": "now", "arguments": "{}"}, True),
        ({"name": "get_weather", "arguments": '{"city": 1}'}, False),
        ({"name": "get_weather", "arguments": "{}"}, False),
        ({"name": "get_weather", "arguments": ""}, False),
        ({"name": "get_weather", "arguments": '{"city": "Os'}, False),
        ({"name": "get_weather", "arguments": '["Oslo"]'}, False),
        ({"name": "get_weather", "arguments": {"city": "Oslo"}}, False),
        ({"name": "get_whether", "arguments": '{"city": "Oslo"}'}, False),
        ({"arguments": "{}"}, False),
    ],
)
def test_one_call(answered: Make, call: object, *, valid: bool):
    found = score(answered(_calls(call), request=OFFER))
    assert found.value is valid
    assert [label["valid"] for label in found.labels["tool_calls"]] == [valid]


def test_one_bad_call_spoils_the_answer(answered: Make):
    good, bad = {"name": "now", "arguments": "{}"}, {"name": "then", "arguments": "{}"}
    found = score(answered(_calls(good, bad), request=OFFER))
    assert found.value is False
    assert found.reason == "unknown tool 'then'"


def test_no_tools_or_no_calls_is_not_judged(answered: Make):
    assert score(answered("Sunny.", request=OFFER)).value is None
    assert score(answered(_calls({"name": "now", "arguments": "{}"}))).value is None


@pytest.mark.parametrize("call", [None, 7, "now", {}, {"function": None}, {"function": "now"}])
def test_broken_calls_are_invalid(answered: Make, call: object):
    assert score(answered({"content": None, "tool_calls": [call]}, request=OFFER)).value is False


@pytest.mark.parametrize("stream", [True, False])
def test_the_labels_say_whether_the_answer_was_streamed(answered: Make, stream: bool):  # noqa: FBT001 - a parameter
    message = {"content": None, "tool_calls": [{"type": "function", "function": {"name": "none", "arguments": "{}"}}]}
    found = score(answered(message, request=OFFER | {"stream": stream}))
    assert found.labels["tool_calls_streamed"] is stream
