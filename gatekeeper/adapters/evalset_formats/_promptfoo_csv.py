"""promptfoo's tests as a table (CSV): a column is a variable, and one that begins with two underscores says more."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters.evalset_formats._files import read_text
from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

METADATA = "__metadata:"
_EXPECTED = re.compile(r"__expected\d*")
_ASSERTION = re.compile(r"((?:not-)?[a-z][a-z-]*)(?:\((\d+(?:\.\d+)?)\))?(?:\s*:\s*(.*))?", re.DOTALL)
_OLD_NAMES: Mapping[str, str] = {"fn": "javascript", "eval": "javascript", "grade": "llm-rubric"}
_BARE = frozenset({"is-json", "is-refusal", "is-xml", "is-sql", "contains-json", "is-valid-openai-tools-call"})
"""Assertions that need no value: any other word without a colon is an answer that must be given exactly."""
_LISTS = frozenset({"contains-any", "contains-all", "icontains-any", "icontains-all"})
_HINDERING = ("__config:", "__threshold", "__provider")


def read_table(path: Path) -> Iterator[dict[str, Any]]:
    """Yield each row as a test.

    Raises:
        NotFoundError: there is no such file.
        InputError: it is no table with a name over each column.
    """
    try:
        rows = csv.DictReader(read_text(path).splitlines(keepends=True), strict=True)
        names = [name for name in rows.fieldnames or () if name and name.strip()]
        if not names:
            raise InputError(f"{path}: found no names of columns, expected them in the first line")
        for row in rows:
            yield _test({name: row[name] or "" for name in names})
    except csv.Error as exc:
        raise InputError(f"{path}: not a table: {exc}") from exc


def _test(row: Mapping[str, str]) -> dict[str, Any]:
    """Return one row in the form that tests have in a configuration."""
    told = {name: value for name, value in row.items() if value.strip()}
    test: dict[str, Any] = {
        "vars": {name: value for name, value in row.items() if not name.startswith("__")},
        "assert": [_assertion(value.strip()) for name, value in told.items() if _EXPECTED.fullmatch(name)],
        "options": {name: told[f"__{name}"] for name in ("prefix", "suffix") if f"__{name}" in told},
        "metadata": {name.removeprefix(METADATA): told[name] for name in told if name.startswith(METADATA)},
        "description": told.get("__description"),
    }
    if said := {name: told[name] for name in told if name.startswith(_HINDERING)}:
        test["threshold"] = ", ".join(f"{name} = {value}" for name, value in said.items())
    return test


def _assertion(text: str) -> dict[str, Any]:
    """Return an assertion that a cell holds: TYPE: VALUE, TYPE(THRESHOLD): VALUE, or the whole answer."""
    found = _ASSERTION.fullmatch(text)
    kind = _OLD_NAMES.get(found[1], found[1]) if found else ""
    if found is None or (found[3] is None and kind.removeprefix("not-") not in _BARE):
        return {"type": "equals", "value": text}
    value: Any = found[3]
    if kind.removeprefix("not-") in _LISTS and value is not None:
        value = [part.strip() for part in value.split(",")]
    return {"type": kind, "value": value, **({"threshold": float(found[2])} if found[2] else {})}
