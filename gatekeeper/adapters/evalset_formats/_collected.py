"""What a format's reader hands over: samples in our layout, and a list of everything that did not come along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gatekeeper.adapters._evalset_rules import unusable

SAMPLING = ("temperature", "top_p", "max_tokens", "seed", "presence_penalty", "frequency_penalty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Say what the source itself does not tell.

    scorer: how answers are compared with targets, in the other tool's own word, "" for none. options: the scorer's
    options. name: which of several evals in a source, "" for the only one.
    """

    scorer: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Name a place in the source, what stands there, and why it was left out or how it was changed."""

    place: str
    what: str
    why: str

    def __str__(self) -> str:
        """Return the note as a line for people."""
        return f"{self.place}: {self.what}: {self.why}"


@dataclass(slots=True)
class Collected:
    """Gather samples as plain JSON values, what could not be mapped, and what was mapped to something slightly else."""

    samples: list[dict[str, Any]] = field(default_factory=list)
    unmapped: list[Note] = field(default_factory=list)
    adapted: list[Note] = field(default_factory=list)
    sampling: dict[str, Any] = field(default_factory=dict)
    repeats: int = 1

    def add(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Take a sample; one whose id is taken gets a number behind it, and a note."""
        taken = {each["id"] for each in self.samples}
        wanted = sample["id"]
        number = 2
        while sample["id"] in taken:
            sample["id"] = f"{wanted}-{number}"
            number += 1
        if sample["id"] != wanted:
            self.adapted.append(Note(sample["id"], f"id {wanted!r}", "stood twice in the source"))
        self.samples.append(sample)
        return sample

    def expect(self, sample: dict[str, Any], place: str, what: str, expectation: dict[str, Any]) -> None:
        """Give a sample an expectation; one that could never be checked is left out, and said so."""
        if problem := next((why for _, why in unusable({**sample, "expect": [expectation]})), ""):
            self.leave(place, what, problem, sample)
            return
        sample.setdefault("expect", []).append(expectation)

    def leave(self, place: str, what: str, why: str, sample: dict[str, Any] | None = None) -> None:
        """Note that something did not come along; the sample that it belonged to remembers it too."""
        note = Note(place, what, why)
        self.unmapped.append(note)
        if sample is not None:
            sample.setdefault("metadata", {}).setdefault("unmapped", []).append(f"{what}: {why}")

    def adapt(self, place: str, what: str, how: str) -> None:
        """Note that something was mapped, but not to quite the same."""
        self.adapted.append(Note(place, what, how))


def id_of(record: Mapping[str, Any], otherwise: str) -> str:
    """Return a record's own id as a text, or the one that is given where it has none."""
    own = record.get("id")
    return otherwise if own is None or own == "" else str(own)


def literal(text: str) -> str:
    """Return a pattern for exactly this text."""
    return "".join(f"\\{char}" if char in r"\.^$*+?()[]{}|" else char for char in text)


def either(texts: list[str]) -> str:
    """Return a pattern for any of these texts."""
    return f"(?:{'|'.join(literal(text) for text in texts)})"
