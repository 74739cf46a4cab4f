"""Share of tool-calling answers whose calls are well-formed and fit their tool's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.metrics._answer import read_answer
from gatekeeper.metrics._json import UnsupportedSchemaError, violation
from gatekeeper.metrics._tools import arguments_of, name_of, schemas_of
from gatekeeper.model.metric import MetricKind, MetricSpec, Score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.model.exchange import Exchange

SPEC = MetricSpec(
    name="tool_call_validity",
    title="valid tool calls",
    kind=MetricKind.RATE,
    columns=("tool_call_valid",),
    lower_is_better=False,
    unit="share",
)


def score(exchange: Exchange) -> Score:
    """Hold every call against the tools that the request offered; one bad call makes the answer invalid.

    None where no tool was offered, none was called, or a tool's schema cannot be used. The labels say whether the
    answer was streamed: servers parse calls apart there, and some have lost arguments.
    """
    offered = schemas_of(exchange.request)
    if not offered:
        return Score(None, "no tool was offered")
    answer = read_answer(exchange.response)
    if answer is None or not answer.tool_calls:
        return Score(None, "no tool was called")
    try:
        errors = [_error(call, offered) for call in answer.tool_calls]
    except UnsupportedSchemaError as exc:
        return Score(None, f"unsupported schema: {exc}")
    labels = [
        {"name": name_of(call), "valid": error is None, "error": error}
        for call, error in zip(answer.tool_calls, errors, strict=True)
    ]
    first = next((error for error in errors if error), "")
    streamed = exchange.request.get("stream") is True
    return Score(not first, first, {"tool_calls": labels, "tool_calls_streamed": streamed})


def _error(call: object, offered: Mapping[str, dict[str, Any] | None]) -> str | None:
    """Return what is wrong with one call, None when nothing is."""
    name = name_of(call)
    if name is None:
        return "no function name"
    if name not in offered:
        return f"unknown tool {name!r}"
    arguments = arguments_of(call)
    if arguments is None:
        return "arguments are not a JSON object"
    schema = offered[name]
    return None if schema is None else violation(arguments, schema)
