"""Collecting a policy's faults, each at its place, so that all of them can be told at once."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from gatekeeper.errors import Fault, PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatekeeper.decide._yaml import Document, Path

_MOST = 100
_FOUND_CHARS = 60


class Faults:
    """Gather faults by path; a path under which something is wrong already is not looked at again."""

    def __init__(self, document: Document, file: str | None) -> None:
        """Start with what reading the document found."""
        self._document = document
        self._file = file
        self._blocked: set[Path] = set()
        self._faults: list[Fault] = []
        for path, place, message in document.faults:
            self._blocked.add(path)
            line, column = place or (None, None)
            self._faults.append(Fault(message, path_text(path), line, column, file))

    def add(self, path: Path, message: str, *, at_key: bool = False, block: bool = True) -> None:
        """Note a fault at a value, or at its key; `block`: what stands at the path cannot be used."""
        places = (self._document.keys, self._document.values) if at_key else (self._document.values,)
        place = next((found[path] for found in places if path in found), (None, None))
        self._faults.append(Fault(message, path_text(path), place[0], place[1], self._file))
        if block:
            self._blocked.add(path)

    def usable(self, path: Path) -> bool:
        """Tell whether nothing is wrong at the path or above it."""
        return not any(path[:length] in self._blocked for length in range(len(path) + 1))

    def raise_any(self) -> None:
        """Raise all faults in the order of the file.

        Raises:
            PolicyError: there is at least one; of very many, the first hundred and how many more there are.
        """
        if not self._faults:
            return
        ordered = sorted(self._faults, key=lambda fault: (fault.line or 0, fault.column or 0))
        if len(ordered) > _MOST:
            ordered[_MOST:] = [Fault(f"and {len(ordered) - _MOST:,} more faults", file=self._file)]
        raise PolicyError(tuple(ordered))


def path_text(path: Path) -> str:
    """Return a path as people write it: `stages[2].canary.weight`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_short(part)}"
    return text.removeprefix(".")


def found(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a value as a fault's message shows it, never long."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"a mapping of {', '.join(_short(key) for key in list(value)[:3])}" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return _short(json.dumps(value, ensure_ascii=False))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or nothing when no known name is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _short(text: str) -> str:
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return shown if len(shown) <= _FOUND_CHARS else shown[: _FOUND_CHARS - 1] + "…"
