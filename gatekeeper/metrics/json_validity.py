"""Share of JSON answers that parse and satisfy their schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.metrics._answer import read_answer
from gatekeeper.metrics._json import NOT_JSON, UnsupportedSchemaError, parse, strip_fence, violation
from gatekeeper.model.metric import MetricKind, MetricSpec, Score

if TYPE_CHECKING:
    from gatekeeper.model.exchange import Exchange

SPEC = MetricSpec(
    name="json_validity",
    title="valid JSON",
    kind=MetricKind.RATE,
    columns=("json_valid",),
    lower_is_better=False,
    unit="share",
)


def score(exchange: Exchange) -> Score:
    """Parse strictly, then hold against the wanted schema; a fenced answer is invalid, and labelled as fenced.

    None where no JSON was asked for, where the model called a tool or declined through the API instead, and where
    the schema itself cannot be used.
    """
    wanted, schema = _wanted(exchange)
    if not wanted:
        return Score(None, "no JSON was asked for")
    answer = read_answer(exchange.response)
    if answer is None or not answer.spoken:
        return Score(None, "no words to judge")
    if not answer.text and (answer.tool_calls or answer.refusal):
        return Score(None, "declined through the API" if answer.refusal else "answered by a tool call")
    try:
        error = _error(answer.text, schema)
        fence = strip_fence(answer.text) if error == NOT_JSON else None
        fenced = fence is not None and _error(fence, schema) is None
    except UnsupportedSchemaError as exc:
        return Score(None, f"unsupported schema: {exc}")
    valid = error is None
    return Score(valid, error or "", {"json": {"valid": valid, "error": error, "fenced": fenced}})


def _wanted(exchange: Exchange) -> tuple[bool, dict[str, Any] | None]:
    """Return whether JSON was asked for, and its schema (None: any JSON)."""
    if exchange.response_schema is not None:
        return True, exchange.response_schema
    wanted = exchange.request.get("response_format")
    if not isinstance(wanted, dict) or wanted.get("type") not in ("json_object", "json_schema"):
        return False, None
    inner = wanted.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, dict) else None
    return True, schema if isinstance(schema, dict) else None


def _error(text: str, schema: dict[str, Any] | None) -> str | None:
    parsed = parse(text)
    if not parsed.ok:
        return NOT_JSON
    return None if schema is None else violation(parsed, schema)
