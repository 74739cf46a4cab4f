"""Asking a person about answers: without telling which arm gave one, or what the detector said of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from gatekeeper.cli._console import note
from gatekeeper.flow.label import place
from gatekeeper.model.correction import PairLabel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatekeeper.flow.label import Reading

CHARS = 3000
"""Of an answer that are shown; what a detector reads stands at its beginning."""

RULE = "-" * 72


class _StopError(Exception):
    """The person wants to stop."""


class _SkipError(Exception):
    """The person cannot tell."""


def ask_person(waiting: Sequence[Reading], metric: str, *, seed: int, by: str) -> Iterator[PairLabel]:
    """Yield a label for each pair that the person speaks about, until they quit or all are done."""
    for number, reading in enumerate(waiting, start=1):
        try:
            baseline, candidate = _pair(reading, metric, f"pair {number:,} of {len(waiting):,}", seed)
        except _SkipError:
            continue
        except (_StopError, EOFError, typer.Abort):
            return
        yield PairLabel(
            pair_id=reading.pair_id, metric=metric, baseline=baseline, candidate=candidate, by=by, ts=time.time()
        )


def _pair(reading: Reading, metric: str, title: str, seed: int) -> tuple[bool, bool]:
    note(f"\n{RULE}\n{title}\n{RULE}\n{inert(reading.prompt)}")
    answers = [("baseline", reading.baseline), ("candidate", reading.candidate)]
    swapped = bool(place(reading.pair_id, seed + 1)[0] & 1)
    said: dict[str, bool] = {}
    for number, (arm, text) in enumerate(answers[::-1] if swapped else answers, start=1):
        note(f"{RULE}\nanswer {number}\n{RULE}\n{inert(text)}\n")
        said[arm] = _told(f"Does answer {number} count for {metric}? [y]es [n]o [s]kip [q]uit")
    return said["baseline"], said["candidate"]


def _told(question: str) -> bool:
    while True:
        word = str(typer.prompt(question, err=True)).strip().lower()[:1]
        if word in {"y", "n"}:
            return word == "y"
        if word == "s":
            raise _SkipError
        if word == "q":
            raise _StopError
        note("y, n, s or q")


def inert(text: str) -> str:
    """Return text that cannot speak to the terminal, cut to what is read."""
    shown = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    return shown if len(shown) <= CHARS else f"{shown[:CHARS]}\n... {len(shown) - CHARS:,} characters more"
