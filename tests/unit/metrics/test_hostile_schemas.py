"""Schemas, patterns and answers made to cost time: each ends within 50 ms of processor time, judged or not."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from gatekeeper.metrics._json import UnsupportedSchemaError, parse, violation
from gatekeeper.metrics._patterns import _compiled, search
from gatekeeper.metrics._schema import _kept

if TYPE_CHECKING:
    from collections.abc import Callable

# Far above the 0.05 s that benchmarks/behaviour/validation.py holds each to, for machines may be slow, and far below
# the minutes of what these once met.
LIMIT_S = 0.5


def _laugh(levels: int, key: str) -> dict[str, Any]:
    """Return a schema whose every level asks twice for the next one, of the same value."""
    level = {f"a{i}": {key: [{"$ref": f"#/$defs/a{i + 1}"}, {"$ref": f"#/$defs/a{i + 1}"}]} for i in range(levels)}
    return {"$ref": "#/$defs/a0", "$defs": level | {f"a{levels}": {"type": "integer"}}}


def _fan(levels: int) -> dict[str, Any]:
    """Return a schema whose every level asks twice for the next one, of an inner value."""
    level = {
        f"a{i}": {
            "properties": {"n": {"$ref": f"#/$defs/a{i + 1}"}},
            "patternProperties": {"n": {"$ref": f"#/$defs/a{i + 1}"}},
        }
        for i in range(levels)
    }
    return {"$ref": "#/$defs/a0", "$defs": level | {f"a{levels}": {"type": "integer"}}}


def _unevaluated(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"properties": {"n": {}}}
    for _ in range(levels):
        schema = {"allOf": [schema], "unevaluatedProperties": False}
    return schema


def _deep(levels: int, leaf: str = "1") -> str:
    return '{"n":' * levels + leaf + "}" * levels


def _chain(length: int) -> dict[str, Any]:
    return {"$ref": "#/a0", **{f"a{i}": {"$ref": f"#/a{i + 1}"} for i in range(length)}, f"a{length}": {}}


def _choice(key: str) -> dict[str, Any]:
    """Return a schema of choices that each walk the same inner value."""
    inner = {"properties": {"n": {"$ref": "#"}}}
    return {key: [inner | {"required": ["k"]}, inner | {"required": ["m"]}, {"type": "integer"}]}


TWICE = {"properties": {"n": {"$ref": "#"}}, "patternProperties": {"n": {"$ref": "#"}}}
DYNAMIC = {
    "$dynamicAnchor": "x",
    "properties": {"n": {"$dynamicRef": "#x"}},
    "patternProperties": {"n": {"$dynamicRef": "#x"}},
}
LONG = '"' + "a" * 900_000 + '!"'
HOSTILE: list[tuple[Any, str]] = [
    *(
        (_laugh(levels, key), text)
        for levels in (9, 17, 100)
        for key in ("allOf", "anyOf", "oneOf")
        for text in ("1", "{}")
    ),
    *((_laugh(levels, "anyOf"), '"s"') for levels in (9, 15, 17, 30)),
    *((_fan(levels), _deep(levels)) for levels in (8, 14, 20, 60)),
    *((_choice(key), _deep(levels, '"s"')) for key in ("anyOf", "oneOf") for levels in (4, 18, 190, 900)),
    *((schema, _deep(levels, '"s"')) for schema in (TWICE, DYNAMIC) for levels in (18, 190)),
    *((_unevaluated(levels), _deep(1)) for levels in (4, 8, 11, 16, 60)),
    (_chain(100), "1"),
    (_chain(2_000), "1"),
    ({"$ref": "#"}, "{}"),
    ({"allOf": [{"$ref": "#/$defs/b"}], "$defs": {"b": {"not": {"$ref": "#"}}}}, "{}"),
    ({"items": {"enum": [[i] for i in range(5_000)]}}, orjson.dumps([[4_999]] * 2_000).decode()),
    ({"items": {"required": [f"k{i}" for i in range(3_000)]}}, orjson.dumps([{"k0": 1}] * 5_000).decode()),
    ({"uniqueItems": True}, orjson.dumps([i + 0.5 for i in range(50_000)]).decode()),
    ({"contains": {"const": 3}}, orjson.dumps([1] * 200_000).decode()),
    ({"enum": list(range(10_000))}, "-1"),
    ({"properties": {f"p{i}": {"pattern": f"^a{i}\\w{{1,50}}$"} for i in range(190)}}, "{}"),
    ({"allOf": [{"pattern": "(a{20}){20}"}] * 100}, LONG),
    *(
        ({"pattern": f"(a{{{n}}}){{{n}}}"}, '"' + "a" * chars + '"')
        for n, chars in ((10, 31_000), (20, 7_800), (30, 7_800), (50, 1_950), (60, 1_950), (100, 498), (120, 498))
    ),
    *(
        ({"pattern": pattern}, text)
        for pattern in (
            "^(a+)+$",
            "(a*)*b",
            "((a|b)+c?)+d",
            "(x+x+)+y",
            "(a{1000}){1000}",
            "(a{100}){100}",
            "\\w{1000}",
        )
        for text in ('"' + "a" * 5_000 + '!"', LONG)
    ),
]


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_every_schema_ends_soon(place: int):
    schema, text = HOSTILE[place]
    parsed = parse(text)

    def judge() -> None:
        _kept.cache_clear()
        with suppress(UnsupportedSchemaError):
            violation(parsed, schema)

    assert _best(judge) < LIMIT_S


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "(a*)*b", "(.*a){20}c", "(a{100}){100}", "(?:a|b|ab){1,200}$", "(a{1000}){1000}", "(?=a)"]
)
def test_every_pattern_ends_soon(pattern: str):
    def look() -> None:
        _compiled.cache_clear()
        search(pattern, "a" * 1_000_000)

    assert _best(look) < LIMIT_S


def _best(work: Callable[[], object]) -> float:
    """Return the processor time in seconds of the quickest of three runs: the others may have met the collector."""
    times = []
    for _ in range(3):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return min(times)


def test_the_reason_of_an_unusable_schema_is_kept():
    schema = _chain(300)
    before = time.process_time()
    for _ in range(100):
        with pytest.raises(UnsupportedSchemaError, match="nested too deeply"):
            violation(parse("1"), schema)
    assert time.process_time() - before < 2 * LIMIT_S


def test_a_costly_search_for_words_is_left_out():
    assert violation(parse('"s"'), _laugh(15, "anyOf")) == "$: breaks the schema"
    assert violation(parse('"s"'), _laugh(2, "anyOf")).startswith("$: breaks anyOf")


def test_a_schema_of_very_many_references_is_refused():
    with pytest.raises(UnsupportedSchemaError, match="1001 references; at most 1000"):
        violation(parse("1"), {"anyOf": [{"$ref": "#/$defs/a"}] * 1001, "$defs": {"a": {}}})
    assert violation(parse("1"), {"anyOf": [{"$ref": "#/$defs/a"}] * 1000, "$defs": {"a": {}}}) is None
