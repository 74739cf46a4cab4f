"""What the gateway counts, and how Prometheus reads it."""

from __future__ import annotations

from collections import Counter


class Counters:
    """Count by (name, labels); only the event loop's thread counts here."""

    def __init__(self) -> None:
        """Start from nothing."""
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.mirrors: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[int] = Counter()
        self.rescues: Counter[str] = Counter()
        self.connections = 0


class Page:
    """Write the text exposition format."""

    def __init__(self) -> None:
        """Start an empty page."""
        self._lines: list[str] = []

    def family(self, name: str, kind: str, text: str) -> None:
        """Begin a family; kind: counter or gauge."""
        self._lines += (f"# HELP {name} {text}", f"# TYPE {name} {kind}")

    def value(self, name: str, value: float, **labels: str) -> None:
        """Write one value."""
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        self._lines.append(f"{name}{{{inner}}} {value!r}" if inner else f"{name} {value!r}")

    def body(self) -> bytes:
        """Return the page."""
        return ("\n".join(self._lines) + "\n").encode()


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
