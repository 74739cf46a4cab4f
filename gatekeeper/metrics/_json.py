"""Strict JSON and JSON Schema over hostile text: bounded, offline, and silent about what the text says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator, exceptions, validators  # type: ignore[import-untyped]  # it ships no types
from referencing import Registry
from referencing.exceptions import Unresolvable

from gatekeeper.metrics._patterns import usable

NOT_JSON = "not JSON"
MAX_CHARS = 1_000_000
REASON_CHARS = 200
_FENCE = re.compile(r"\s*```[a-zA-Z0-9]*[ \t]*\n(.*?)\n?[ \t]*```\s*", re.DOTALL)


class UnsupportedSchemaError(Exception):
    """Say that a schema cannot be used, so that nothing may be said about the answer."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """Hold what a text parsed to; ok is False when it is not JSON."""

    ok: bool
    value: Any = None


def parse(text: str) -> Parsed:
    """Parse by RFC 8259: no NaN, no comments, no trailing commas, nothing before or after but white space."""
    if len(text) > MAX_CHARS:
        return Parsed(ok=False)
    try:
        return Parsed(ok=True, value=orjson.loads(text))
    except orjson.JSONDecodeError:
        return Parsed(ok=False)


def strip_fence(text: str) -> str | None:
    """Return what a single Markdown code fence holds; None when the text is not one fence and nothing else."""
    found = _FENCE.fullmatch(text) if text.lstrip().startswith("```") else None
    return found.group(1) if found else None


def violation(value: object, schema: dict[str, Any]) -> str | None:
    """Return where and how a value breaks its schema, in the schema's words alone; None when it does not.

    Raises:
        UnsupportedSchemaError: the schema is no valid schema, refers outside itself, or has an unusable pattern.
    """
    try:
        validator = _validator(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS))
        error = next(iter(validator.iter_errors(value)), None)
    except (exceptions.SchemaError, orjson.JSONEncodeError) as exc:
        raise UnsupportedSchemaError(str(exc).split("\n", 1)[0][:REASON_CHARS]) from exc
    except Unresolvable as exc:
        raise UnsupportedSchemaError(f"cannot resolve $ref {exc.ref!r}"[:REASON_CHARS]) from exc
    except RecursionError as exc:
        raise UnsupportedSchemaError("nested too deeply") from exc
    if error is None:
        return None
    return f"{error.json_path}: breaks {error.validator} {error.validator_value!r}"[:REASON_CHARS]


@lru_cache(maxsize=512)
def _validator(text: bytes) -> Any:  # noqa: ANN401  # jsonschema's validator classes are made at run time
    """Return the validator of a schema's canonical text; references are never fetched."""
    schema = orjson.loads(text)
    _refuse_hostile(schema)
    kind = validators.validator_for(schema, default=None) if "$schema" in schema else Draft202012Validator
    if kind is None:
        raise UnsupportedSchemaError(f"unknown $schema {schema['$schema']!r}"[:REASON_CHARS])
    kind.check_schema(schema)
    return kind(schema, registry=Registry())


def _refuse_hostile(schema: object) -> None:
    if isinstance(schema, dict):
        patterns = [schema["pattern"]] if isinstance(schema.get("pattern"), str) else []
        keyed = schema.get("patternProperties")
        patterns += list(keyed) if isinstance(keyed, dict) else []
        for pattern in patterns:
            if not usable(pattern):
                raise UnsupportedSchemaError(f"pattern {pattern[:80]!r} may take exponential time")
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _refuse_hostile(inner)
