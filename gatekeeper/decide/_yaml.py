"""YAML 1.2 (and so JSON) into plain values that remember their places; never more than the document shows.

Anchors, aliases, tags, merge keys and duplicate keys are refused: a policy is read by people, top to bottom.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from gatekeeper.errors import Fault, PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ruamel.yaml.events import Event

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20

Path: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,300}|[0-9]{1,300}(\.[0-9]{0,300})?)([eE][-+]?[0-9]{1,4})?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(slots=True)
class Document:
    """Hold a document's plain value, and the line and column (from 1) of every value and key, by path."""

    value: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    faults: list[tuple[Path, Place | None, str]] = field(default_factory=list)


class _StopError(Exception):
    """End the reading at a place: nothing after it could be understood."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.place = place


def read(text: str, file: str | None) -> Document:
    """Read one YAML document; what can still be read beside a fault is read.

    Raises:
        PolicyError: it is too large or too deep, or is not YAML at all.
    """
    document = Document()
    try:
        _read_document(YAML(typ="safe", pure=True).parse(_prepared(text)), document)
    except _StopError as exc:
        raise PolicyError((Fault(str(exc), line=exc.place[0], column=exc.place[1], file=file),)) from exc
    except MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = ", ".join(part for part in (exc.context, exc.problem) if part)
        raise PolicyError((Fault(f"not YAML: {what}", line=line, column=column, file=file),)) from exc
    except ReaderError as exc:
        before = text[: exc.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"not YAML: a character that is not text (code {ord(text[exc.position]):#x})"
        raise PolicyError((Fault(message, line=line, column=column, file=file),)) from exc
    except (YAMLError, ValueError, IndexError, AttributeError, AssertionError) as exc:
        raise PolicyError((Fault(f"not YAML: {exc}", line=1, column=1, file=file),)) from exc
    return document


def _prepared(text: str) -> str:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise _StopError(f"found {size:,} bytes, expected at most {MAX_BYTES:,}", (1, 1))
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return text.replace("\t", " ")  # JSON may be indented by tabs, block YAML may not
    return text


def _read_document(events: Iterator[Event], document: Document) -> None:
    documents = 0
    for event in events:
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _StopError("found a second document, expected one", _place(event))
            document.value = _value(next(events), events, document, ())
    if not documents:
        raise _StopError("found an empty file, expected a mapping", (1, 1))


def _place(event: Event) -> Place:
    return (event.start_mark.line + 1, event.start_mark.column + 1)


def _value(event: Event, events: Iterator[Event], document: Document, path: Path) -> Any:  # noqa: ANN401 - JSON values
    place = document.values.setdefault(path, _place(event))
    if len(path) > MAX_DEPTH:
        raise _StopError(f"found more than {MAX_DEPTH} levels, expected fewer", place)
    if not isinstance(event, MappingStartEvent | SequenceStartEvent | ScalarEvent):
        document.faults.append((path, place, "found an alias, expected the value written out"))
        return None
    if event.anchor is not None:
        document.faults.append((path, place, f"found the anchor &{event.anchor}, expected a plain value"))
    if event.tag is not None:
        document.faults.append((path, place, f"found the tag {event.tag}, expected a plain value"))
    if isinstance(event, MappingStartEvent):
        return _mapping(events, document, path)
    if isinstance(event, SequenceStartEvent):
        return _sequence(events, document, path)
    return _scalar(event, document, path)


def _mapping(events: Iterator[Event], document: Document, path: Path) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for event in events:
        if isinstance(event, MappingEndEvent):
            break
        place = _place(event)
        if not isinstance(event, ScalarEvent):
            raise _StopError("found a key that is not text, expected a name", place)
        key = event.value
        below = (*path, key)
        if key in mapping:
            line = document.keys[below][0]
            document.faults.append((below, place, f"found {key!r} a second time (first on line {line}), expected once"))
            _value(next(events), events, Document(), below)
            continue
        if key == "<<":
            document.faults.append((below, place, "found a merge key, expected the values written out"))
        document.keys[below] = place
        inner = next(events)
        if isinstance(inner, ScalarEvent) and not inner.value and inner.implicit[0]:
            document.values[below] = place  # nothing is written: its place is the key's
        mapping[key] = _value(inner, events, document, below)
    return mapping


def _sequence(events: Iterator[Event], document: Document, path: Path) -> list[Any]:
    items: list[Any] = []
    for event in events:
        if isinstance(event, SequenceEndEvent):
            break
        items.append(_value(event, events, document, (*path, len(items))))
    return items


def _scalar(event: ScalarEvent, document: Document, path: Path) -> str | float | bool | None:
    text: str = event.value
    plain = event.implicit[0]  # neither quoted, nor a block, nor tagged
    if plain and _NULL.fullmatch(text):
        return None
    if plain and (_TRUE.fullmatch(text) or _FALSE.fullmatch(text)):
        return text.lower() == "true"
    if plain and _INT.fullmatch(text):
        return int(text)
    if plain and (_FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text)):
        return _finite(text, document, path)
    return _text(text, document, path)


def _finite(text: str, document: Document, path: Path) -> float | None:
    number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if math.isfinite(number):
        return number
    document.faults.append((path, document.values[path], f"found {text}, expected a finite number"))
    return None


def _text(text: str, document: Document, path: Path) -> str:
    """Join surrogate pairs, which JSON writes as two escapes, and refuse halves of one."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        document.faults.append((path, document.values[path], "found half of a surrogate pair, expected text"))
        return ""
