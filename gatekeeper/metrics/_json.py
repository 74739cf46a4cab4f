"""Strict JSON out of hostile text, held against its schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from gatekeeper.metrics._schema import UnsupportedSchemaError, compiled

__all__ = ["MAX_CHARS", "NOT_JSON", "Parsed", "UnsupportedSchemaError", "parse", "strip_fence", "violation"]

NOT_JSON = "not JSON"
MAX_CHARS = 1_000_000
_FENCE = re.compile(r"\s*```[a-zA-Z0-9]*[ \t]*\n(.*?)\n?[ \t]*```\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Parsed:
    """Hold what a text parsed to, and the text; ok is False when it is not JSON."""

    ok: bool
    value: Any = None
    text: str = ""


def parse(text: str) -> Parsed:
    """Parse by RFC 8259: no NaN, no comments, no trailing commas, nothing before or after but white space."""
    if len(text) > MAX_CHARS:
        return Parsed(ok=False)
    try:
        return Parsed(ok=True, value=orjson.loads(text), text=text)
    except orjson.JSONDecodeError:
        return Parsed(ok=False)


def strip_fence(text: str) -> str | None:
    """Return what a single Markdown code fence holds; None when the text is not one fence and nothing else."""
    found = _FENCE.fullmatch(text) if text.lstrip().startswith("```") else None
    return found.group(1) if found else None


def violation(parsed: Parsed, schema: dict[str, Any]) -> str | None:
    """Return where and how what was parsed breaks its schema, in the schema's words alone; None when it does not.

    Raises:
        UnsupportedSchemaError: the schema cannot be used, or not on a text of this size.
    """
    return compiled(schema).violation(parsed.value, parsed.text)
