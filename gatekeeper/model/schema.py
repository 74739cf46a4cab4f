"""The published JSON Schemas (2020-12) of what crosses our border."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, cast

from gatekeeper.errors import UnknownNameError

_FOLDER = Path(__file__).parent / "schemas"


def names() -> tuple[str, ...]:
    """List the schemas there are, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


def load(name: str) -> dict[str, Any]:
    """Return a schema as a fresh mapping.

    Raises:
        UnknownNameError: no schema has this name; the message lists those that exist.
    """
    return cast("dict[str, Any]", json.loads(text(name)))


@cache
def text(name: str) -> str:
    """Return a schema's file as it is shipped; raises UnknownNameError."""
    known = names()
    if name not in known:
        raise UnknownNameError("schema", name, known)
    return (_FOLDER / f"{name}.json").read_text(encoding="utf-8")


def draft7(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a 2020-12 schema in draft-07 words, which editors read: `definitions`, and no siblings beside `$ref`."""
    return cast("dict[str, Any]", _draft7(schema)) | {"$schema": "http://json-schema.org/draft-07/schema#"}


def _draft7(node: object) -> object:
    if isinstance(node, list):
        return [_draft7(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {("definitions" if key == "$defs" else key): _draft7(value) for key, value in node.items()}
    target = plain.get("$ref")
    if isinstance(target, str):
        target = target.replace("#/$defs/", "#/definitions/")
        rest = {key: value for key, value in plain.items() if key != "$ref"}
        return {**rest, "allOf": [{"$ref": target}]} if rest else {"$ref": target}
    return plain
