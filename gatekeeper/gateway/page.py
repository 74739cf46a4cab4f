"""A page of figures as Prometheus reads it, which can be added to another worker's."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

Labels = tuple[tuple[str, str], ...]
COUNTER = "counter"
_JOIN: dict[str, Callable[[float, float], float]] = {"sum": operator.add, "min": min, "max": max}


class Family(msgspec.Struct):
    """Hold one family's values by their labels. kind: counter or gauge. join: what makes one value of two workers'."""

    kind: str
    text: str
    join: str = "sum"
    values: list[tuple[Labels, float]] = []


class Page:
    """Hold families by name, in the order in which they were begun."""

    def __init__(self, families: dict[str, Family] | None = None) -> None:
        """Start with these families, or an empty page."""
        self.families = families or {}

    def family(self, name: str, kind: str, text: str, *, join: str = "sum") -> None:
        """Begin a family; kind: counter or gauge; join: sum, min or max over workers."""
        self.families[name] = Family(kind, text, join, [])

    def value(self, name: str, value: float, **labels: str) -> None:
        """Write one value."""
        self.families[name].values.append((tuple(labels.items()), value))

    def add(self, other: Page, *, gauges: bool = True) -> None:
        """Join another page's values to this one's; gauges False: its counters only, for its worker has ended."""
        for name, theirs in other.families.items():
            if theirs.kind != COUNTER and not gauges:
                continue
            ours = self.families.setdefault(name, Family(theirs.kind, theirs.text, theirs.join, []))
            joined = dict(ours.values)
            for labels, value in theirs.values:
                joined[labels] = _JOIN[ours.join](joined[labels], value) if labels in joined else value
            ours.values = sorted(joined.items())

    def body(self) -> bytes:
        """Return the page in the text exposition format."""
        lines: list[str] = []
        for name, family in self.families.items():
            lines += (f"# HELP {name} {family.text}", f"# TYPE {name} {family.kind}")
            for labels, value in family.values:
                inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
                lines.append(f"{name}{{{inner}}} {value!r}" if inner else f"{name} {value!r}")
        return ("\n".join(lines) + "\n").encode()


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
