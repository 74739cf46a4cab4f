"""Random schemas over random values: the hot path says what the reference in Python says."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gatekeeper.metrics._json import parse, violation

KEYS = st.sampled_from(["a", "b", "c"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, -2.5]) | st.text("ab é", max_size=3)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
SMALL = st.integers(0, 3)
PATTERNS = st.sampled_from(["^a", "b$", "a+b", "[ab]{2}", "^$"])
LEAVES: dict[str, Any] = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
    "const": VALUES,
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "minimum": SMALL,
    "exclusiveMaximum": SMALL,
    "multipleOf": st.integers(1, 3),
    "minLength": SMALL,
    "maxLength": SMALL,
    "pattern": PATTERNS,
    "minItems": SMALL,
    "maxItems": SMALL,
    "uniqueItems": st.booleans(),
    "required": st.lists(KEYS, unique=True, max_size=2),
    "maxProperties": SMALL,
    "dependentRequired": st.dictionaries(KEYS, st.lists(KEYS, unique=True, max_size=2), max_size=2),
    "$ref": st.just("#/$defs/x"),
}


def _wider(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return schemas that hold others."""
    some = st.lists(inner, min_size=1, max_size=2)
    named = st.dictionaries(KEYS, inner, max_size=2)
    one = dict.fromkeys(("not", "if", "then", "else", "items", "contains", "propertyNames"), inner)
    many = dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), some)
    maps = {"properties": named, "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2)}
    rest = {"additionalProperties": inner, "unevaluatedProperties": st.booleans(), "unevaluatedItems": st.booleans()}
    return st.fixed_dictionaries({}, optional={**one, **many, **maps, **rest, "type": TYPES})


SCHEMAS = st.recursive(st.booleans() | st.fixed_dictionaries({}, optional=LEAVES), _wider, max_leaves=6)


@given(schema=SCHEMAS, definition=st.fixed_dictionaries({}, optional={"type": TYPES, "maxLength": SMALL}), value=VALUES)
def test_the_reference_says_the_same(schema: Any, definition: dict[str, Any], value: object):  # noqa: ANN401 - any JSON
    whole = {"$defs": {"x": definition}, "allOf": [schema]}
    text = json.dumps(value)
    assert (violation(parse(text), whole) is None) is Draft202012Validator(whole).is_valid(value)
