"""The lines of an evalset's samples, and where in its line a fault stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from gatekeeper.decide._yaml import read as read_yaml
from gatekeeper.errors import Fault, PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line that is not blank: its number (from 1), its text, and the JSON value that it holds."""

    number: int
    text: str
    value: Any

    def fault(self, message: str, path: Path, file: str) -> Fault:
        """Return a fault at a path of the line's value: at the deepest part of the path that is there."""
        return Fault(message, file=file, line=self.number, column=_column(self.text, path))


def read_lines(text: str, file: str) -> Iterator[Line | Fault]:
    """Yield each line that is not blank, or the fault for which it is no JSON; only a line feed ends a line."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield Line(number, line, orjson.loads(line))
        except orjson.JSONDecodeError as exc:
            message = f"found a line that is not JSON ({exc.msg}), expected one object a line"
            yield Fault(message, file=file, line=number, column=exc.colno)


def _column(line: str, path: Path) -> int:
    """Return the column (from 1) of what stands at a path; JSON is YAML, whose reader knows places."""
    try:
        places = read_yaml(line, None).values
    except PolicyError:
        return 1
    return next((places[path[:length]][1] for length in range(len(path), -1, -1) if path[:length] in places), 1)
