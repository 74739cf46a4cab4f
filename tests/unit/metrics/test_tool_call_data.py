"""Public tool calls, right ones and mutants of them, through the scorer."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.metrics.tool_call_validity import score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.metric import Score

    Make = Callable[..., Exchange]

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "bfcl"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the Berkeley function calling data is not at {DATA}")
KINDS = {"dict": "object", "float": "number", "double": "number", "tuple": "array", "list": "array"}
WRONG = {"string": 7, "integer": "seven", "number": "seven", "boolean": "yes", "array": "one", "object": "one"}

Call = tuple[list[dict[str, Any]], str, dict[str, Any]]


def test_right_calls_are_valid(answered: Make):
    calls = list(_calls())
    scores = [(name, _score(answered, tools, name, given)) for tools, name, given in calls]
    invalid = [(name, found.reason) for name, found in scores if found.value is not True]
    assert len(calls) > 500
    assert len(invalid) <= 0.015 * len(calls), invalid


def test_mutants_are_rejected(answered: Make):
    total, missed = Counter[str](), Counter[str]()
    for tools, name, given in _calls():
        for kind, other, arguments in _mutants(tools, name, given):
            total[kind] += 1
            missed[kind] += _score(answered, tools, other, arguments).value is not False
    assert total.total() > 3_000
    assert missed.total() <= 0.005 * total.total(), missed


def _score(answered: Make, tools: list[dict[str, Any]], name: str, arguments: object) -> Score:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    message = {"content": None, "tool_calls": [{"type": "function", "function": {"name": name, "arguments": text}}]}
    return score(answered(message, request={"tools": tools}))


def _calls() -> Iterator[Call]:
    """Yield each right call: the tools on offer, the name, the arguments (the first of the accepted values)."""
    for file in sorted(DATA.glob("answer_*.jsonl")):
        questions = _lines(DATA / file.name.removeprefix("answer_"))
        for line, answer in zip(questions, _lines(file), strict=True):
            assert line["id"] == answer["id"]
            tools = [{"type": "function", "function": _as_schema(each)} for each in line["function"]]
            for call in answer["ground_truth"]:
                ((name, accepted),) = call.items()
                given = {key: _first(values) for key, values in accepted.items()}
                yield tools, name, {key: value for key, value in given.items() if value is not _LEFT_OUT}


_LEFT_OUT = object()


def _first(values: object) -> object:
    """Return the first accepted value; an empty text stands for "may be left out", and objects hold lists again."""
    if not isinstance(values, list):
        return values
    if not values or values[0] == "":
        return _LEFT_OUT
    return _inside(values[0])


def _inside(value: object) -> object:
    if isinstance(value, dict):
        found = {key: _first(inner) for key, inner in value.items()}
        return {key: inner for key, inner in found.items() if inner is not _LEFT_OUT}
    return [_inside(each) for each in value] if isinstance(value, list) else value


def _as_schema(body: Any) -> Any:  # noqa: ANN401 - any JSON
    """Rewrite the data's own type names (dict, float, tuple, any) as JSON Schema's."""
    if isinstance(body, list):
        return [_as_schema(each) for each in body]
    if not isinstance(body, dict):
        return body
    kind = body.get("type")
    plain = {key: _as_schema(value) for key, value in body.items() if not (key == "type" and kind == "any")}
    return plain | {"type": KINDS[kind]} if isinstance(kind, str) and kind in KINDS else plain


def _mutants(tools: list[dict[str, Any]], name: str, given: dict[str, Any]) -> Iterator[tuple[str, str, object]]:
    """Yield (kind, name, arguments) of calls that are wrong by the tool's own words."""
    text = json.dumps(given)
    function = next(each["function"] for each in tools if each["function"]["name"] == name)
    yield "name", name + "_", given
    yield "name", name[:-1], given
    yield "cut", name, text[:-1]
    yield "cut", name, text[: len(text) // 2]
    yield "list", name, [given]
    yield "twice", name, text + text
    for key in function["parameters"].get("required", ()):
        yield "required", name, {other: value for other, value in given.items() if other != key}
    for key, rule in function["parameters"]["properties"].items():
        if key in given and rule.get("type") in WRONG:
            yield "type", name, {**copy.deepcopy(given), key: WRONG[rule["type"]]}
            yield "null", name, {**given, key: None}
        if key in given and "enum" in rule:
            yield "enum", name, {**given, key: "none of these"}


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]
