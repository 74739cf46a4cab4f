"""What counts as the JSON that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.metrics.json_validity import score

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.exchange import Exchange

    Make = Callable[..., Exchange]

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "who": {"enum": ["a", "b"]}},
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("text", "valid", "fenced"),
    [
        ('{"n": 1}', True, False),
        (' {"n": 1, "who": "a"}\n', True, False),
        ('{"n": 1.0}', True, False),
        ('{"n": true}', False, False),
        ('{"n": "1"}', False, False),
        ('{"who": "a"}', False, False),
        ('{"n": 1, "x": 2}', False, False),
        ('{"n": NaN}', False, False),
        ('{"n": 1,}', False, False),
        ("{'n': 1}", False, False),
        ('{"n": 1} trailing', False, False),
        ('Here is the JSON: {"n": 1}', False, False),
        ('```json\n{"n": 1}\n```', False, True),
        ('```\n{"n": 1}\n```\n', False, True),
        ('```json\n{"n": "no"}\n```', False, False),
        ("", False, False),
        ("[" * 5000, False, False),
        ('{"n": 1' + "0" * 400 + "}", False, False),
        ('{"n": "\ud800"}', False, False),
    ],
)
def test_against_a_schema(answered: Make, text: str, *, valid: bool, fenced: bool):
    found = score(answered(text, response_schema=SCHEMA))
    assert found.value is valid
    assert found.labels["json"]["fenced"] is fenced
    assert (found.labels["json"]["error"] is None) is valid


def test_the_error_names_the_place_and_rule_and_never_the_answer(answered: Make):
    error = score(answered('{"n": "secret words"}', response_schema=SCHEMA)).labels["json"]["error"]
    assert error == "$.n: breaks type 'integer'"


def test_json_mode_needs_no_schema(answered: Make):
    mode = {"response_format": {"type": "json_object"}}
    assert score(answered("{}", request=mode)).value is True
    assert score(answered("{", request=mode)).value is False


def test_the_requests_own_schema_is_used(answered: Make):
    wanted = {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}}}
    assert score(answered('{"n": 1}', request=wanted)).value is True
    assert score(answered("{}", request=wanted)).value is False


def test_free_text_and_tool_calls_are_not_judged(answered: Make):
    assert score(answered("{}")).value is None
    assert score(answered("{}", request={"response_format": {"type": "text"}})).value is None
    calling = {"content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}
    assert score(answered(calling, response_schema=SCHEMA)).value is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "https://127.0.0.1:1/never-fetched.json"},
        {"$ref": "#/$defs/missing"},
        {"$schema": "https://example.com/own-dialect"},
        {"$ref": "#"},
        {"pattern": "^(?=a)"},
        {"properties": {"x": {"patternProperties": {"(a)\\1": {}}}}},
    ],
)
def test_an_unusable_schema_says_nothing_about_the_answer(answered: Make, schema: dict[str, Any]):
    found = score(answered('{"x": "' + "a" * 40 + '!"}', response_schema=schema))
    assert found.value is None
    assert found.reason.startswith("unsupported schema")


def test_a_schema_may_refer_to_itself(answered: Make):
    schema = {
        "$ref": "#/$defs/node",
        "$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}, "n": SCHEMA}}},
    }
    nested = '{"next":%s}'
    text = "{}"
    for _ in range(100):
        text = nested % text
    assert score(answered(text, response_schema=schema)).value is True
    assert score(answered('{"next": {"n": 7}}', response_schema=schema)).value is False
    assert score(answered("[" * 300 + "]" * 300, response_schema=schema)).value is None


def test_a_pattern_that_would_trip_backtracking_is_judged(answered: Make):
    schema = {"type": "string", "pattern": "^(a+)+$"}
    assert score(answered('"' + "a" * 5000 + '!"', response_schema=schema)).value is False
    assert score(answered('"' + "a" * 5000 + '"', response_schema=schema)).value is True


def test_older_drafts_are_honoured(answered: Make):
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "integer"}]}
    assert score(answered('["x"]', response_schema=schema)).value is False
