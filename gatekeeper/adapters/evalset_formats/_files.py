"""Reading another tool's files: JSON, lines of JSON, YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gatekeeper.errors import Fault, InputError, NotFoundError, PolicyError

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 256 * 1024 * 1024


def read_bytes(path: Path) -> bytes:
    """Return a file's content.

    Raises:
        NotFoundError: there is no such file.
        InputError: it cannot be read, or is larger than 256 MB.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path}: found {path.stat().st_size:,} bytes, expected at most {MOST_BYTES:,}")
        return path.read_bytes()
    except FileNotFoundError as exc:
        raise NotFoundError(f"{path}: not found") from exc
    except OSError as exc:
        raise InputError(f"{path}: {exc.strerror}") from exc


def read_text(path: Path) -> str:
    """Return a text file's content, without a byte order mark; raises as `read_bytes`, and for what is not UTF-8."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise InputError(f"{path}: found bytes that are not UTF-8 at {exc.start}, expected text") from exc


def read_records(path: Path) -> list[Any]:
    """Return the values of a JSON list, or of a file with one JSON value a line.

    Raises:
        PolicyError: with every line that is not JSON.
    """
    text = read_text(path)
    if text.lstrip().startswith("["):
        whole = read_json(path)
        return whole if isinstance(whole, list) else [whole]
    records, faults = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                records.append(orjson.loads(line))
            except orjson.JSONDecodeError as exc:
                message = f"found a line that is not JSON ({exc.msg}), expected one object a line"
                faults.append(Fault(message, file=str(path), line=number, column=exc.colno))
    if faults:
        raise PolicyError(tuple(faults))
    return records


def read_json(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON file's value; raises PolicyError with the place where it is not JSON."""
    try:
        return orjson.loads(read_text(path))
    except orjson.JSONDecodeError as exc:
        raise PolicyError((Fault(f"not JSON: {exc.msg}", file=str(path), line=exc.lineno, column=exc.colno),)) from exc


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - any YAML value
    """Return a YAML file's value, by YAML 1.2 and without tags that make objects; raises PolicyError."""
    try:
        return YAML(typ="safe", pure=True).load(read_text(path))
    except YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        told = getattr(exc, "problem", None) or str(exc)
        raise PolicyError((Fault(f"not YAML: {told}", file=str(path), line=line, column=column),)) from exc
