"""JSON Schema over text and schemas nobody trusts: complete, offline, and never long at it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import orjson
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it ships no types
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from gatekeeper.metrics._schema_cost import Cost, EndlessError, cost_of, patterns_of, readable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from referencing.jsonschema import SchemaRegistry

DIALECTS = {
    jsonschema_rs.Draft4Validator: "http://json-schema.org/draft-04/schema#",
    jsonschema_rs.Draft6Validator: "http://json-schema.org/draft-06/schema#",
    jsonschema_rs.Draft7Validator: "http://json-schema.org/draft-07/schema#",
    jsonschema_rs.Draft201909Validator: "https://json-schema.org/draft/2019-09/schema",
    jsonschema_rs.Draft202012Validator: "https://json-schema.org/draft/2020-12/schema",
}
MAX_SCHEMA_BYTES = 64_000
MAX_PATTERNS = 200
MAX_REFERENCES = 1_000
MAX_DEPTH = 200
MAX_VISITS = 300_000
MAX_EXPLAINED = 3_000
PATTERN_BYTES = (16_000, 64_000, 256_000, 1_000_000)
MAX_BYTES = 4_000_000
MAX_BYTES_CHARS = 500_000_000
REASON_CHARS = 200


class UnsupportedSchemaError(Exception):
    """Say that a schema cannot be used, so that nothing may be said about the answer."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Hold a schema ready for use, with the size of text it may be used on.

    max_values: values of an answer it may meet before that could take 50 ms. max_chars: the same of characters,
    where it has patterns.
    """

    body: Any
    validator: Any
    cost: Cost
    max_values: int
    max_chars: int

    def violation(self, value: object, text: str) -> str | None:
        """Return where and how a value breaks the schema, in the schema's words alone; None when it does not.

        text: what the value was parsed from; its length bounds the work.

        Raises:
            UnsupportedSchemaError: the schema could take too long over this text.
        """
        if len(text) > self.max_chars:
            raise UnsupportedSchemaError(f"patterns over {len(text)} characters; at most {self.max_chars}")
        values = 1 + len(text) // 2
        if values > self.max_values and (values := _count(text)) > self.max_values:
            raise UnsupportedSchemaError(f"may take too long over {values} values; at most {self.max_values}")
        if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
            raise UnsupportedSchemaError(f"the answer is nested more than {MAX_DEPTH} deep")
        if self.validator.is_valid(value):
            return None
        return self._reason(value, _count(text))

    def _reason(self, value: object, values: int) -> str:
        """Name the first error; a search for it goes every way, so that it is made only where there are few."""
        steps = self.cost.visits ** (min(_depth(value), 30) if self.cost.recursive else 1)
        if steps * values > MAX_EXPLAINED:
            return "$: breaks the schema"
        error = next(self.validator.iter_errors(value))
        path = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in error.instance_path)
        rule: Any = self.body
        for each in error.schema_path:
            known = isinstance(rule, dict) or (isinstance(rule, list) and isinstance(each, int) and each < len(rule))
            rule = (rule.get(each) if isinstance(rule, dict) else rule[each]) if known else None
        return f"${path}: breaks {error.kind.name}{'' if rule is None else f' {rule!r}'}"[:REASON_CHARS]


def compiled(schema: object, documents: Mapping[str, Any] | None = None) -> Schema:
    """Return a schema ready for use; ready ones, and the reasons of unusable ones, are kept by their text.

    documents: other schemas by address that this one may refer to, beside the drafts' own. Nothing is ever fetched.

    Raises:
        UnsupportedSchemaError: it is no valid schema, refers outside itself, has a pattern that cannot run in linear
            time, or is so large that it could take long.
    """
    try:
        text = orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as exc:
        raise UnsupportedSchemaError(str(exc)[:REASON_CHARS]) from exc
    if documents is not None:
        return _compile(text, documents)
    found = _kept(text)
    if isinstance(found, str):
        raise UnsupportedSchemaError(found)
    return found


@lru_cache(maxsize=512)
def _kept(text: bytes) -> Schema | str:
    """Return the schema of a canonical text ready for use, or why it cannot be used."""
    try:
        return _compile(text, {})
    except UnsupportedSchemaError as exc:
        return str(exc)


def _compile(text: bytes, documents: Mapping[str, Any]) -> Schema:
    if len(text) > MAX_SCHEMA_BYTES:
        raise UnsupportedSchemaError(f"{len(text)} bytes long; at most {MAX_SCHEMA_BYTES}")
    references = text.count(b'"$ref"')
    if references > MAX_REFERENCES:
        raise UnsupportedSchemaError(f"{references} references; at most {MAX_REFERENCES}")
    body = orjson.loads(text)
    try:
        patterns = patterns_of(body)
        if patterns > MAX_PATTERNS:
            raise UnsupportedSchemaError(f"{patterns} patterns; at most {MAX_PATTERNS}")
        validator, largest = _validator(body, patterns, documents)
        dialect = DIALECTS[type(validator)]
        cost = cost_of(readable(body), dialect, _registry(dialect, documents))
    except jsonschema_rs.ValidationError as exc:
        pattern = exc.instance_path[-1:] == ["pattern"]
        reason = exc.message + (", or is too large, or cannot run in linear time" if pattern else "")
        raise UnsupportedSchemaError(reason[:REASON_CHARS]) from exc
    except Unresolvable as exc:
        raise UnsupportedSchemaError(f"cannot resolve $ref {exc.ref!r}"[:REASON_CHARS]) from exc
    except (EndlessError, RecursionError) as exc:
        raise UnsupportedSchemaError("nested too deeply, or refers to itself without end") from exc
    except (jsonschema_rs.ReferencingError, ValueError) as exc:
        raise UnsupportedSchemaError(str(exc)[:REASON_CHARS]) from exc
    max_chars = MAX_BYTES_CHARS // (largest * cost.searches) if cost.searches else sys.maxsize
    return Schema(body, validator, cost, MAX_VISITS // cost.visits, max_chars)


def _validator(
    body: Any,  # noqa: ANN401  # any JSON
    patterns: int,
    documents: Mapping[str, Any],
) -> tuple[Any, int]:
    """Return the validator whose compiled patterns stay under the lowest possible bound, and that bound in bytes.

    Searching takes, at worst, time in proportion to the compiled pattern times the text.

    Raises:
        jsonschema_rs.ValidationError: no valid schema, an unknown draft, or a pattern that is too large or not linear.
    """
    registry = jsonschema_rs.Registry(list(documents.items())) if documents else None
    bounds = [each for each in PATTERN_BYTES if each * patterns <= MAX_BYTES]
    for bound in bounds:
        options = jsonschema_rs.RegexOptions(size_limit=bound)
        try:
            found = jsonschema_rs.validator_for(
                body, registry=registry, pattern_options=options, validate_formats=False, offline=True
            )
        except jsonschema_rs.ValidationError:
            if bound == bounds[-1] or not patterns:
                raise
        else:
            return found, bound
    raise AssertionError(bounds)


def _registry(dialect: str, documents: Mapping[str, Any]) -> SchemaRegistry:
    """Return the documents, and the drafts' own schemas, by their addresses."""
    contents = [(address, readable(body)) for address, body in documents.items()]
    known: SchemaRegistry = REGISTRY
    return known.with_contents(contents, default_specification=specification_with(dialect))


def _count(text: str) -> int:
    """Return at most how many values a JSON text holds."""
    return 1 + text.count(",") + text.count("[") + text.count("{")


def _depth(value: object) -> int:
    """Return how many levels of objects and lists a value has."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, (dict, list)) and each]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth
