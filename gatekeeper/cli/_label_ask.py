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


class _BackError(Exception):
    """The person wants to change the answer before."""


def ask_person(waiting: Sequence[Reading], metric: str, *, seed: int, by: str) -> Iterator[PairLabel]:
    """Yield a label for each pair that the person speaks about, until they quit or all are done.

    Whoever goes back is asked the pair before again; of two labels of a pair the later one counts.
    """
    number = 0
    while number < len(waiting):
        reading = waiting[number]
        try:
            baseline, candidate = _pair(reading, metric, f"pair {number + 1:,} of {len(waiting):,}", seed)
        except _SkipError:
            number += 1
            continue
        except _BackError:
            number = max(0, number - 1)
            continue
        except (_StopError, EOFError, typer.Abort):
            return
        yield PairLabel(
            pair_id=reading.pair_id, metric=metric, baseline=baseline, candidate=candidate, by=by, ts=time.time()
        )
        number += 1


def _pair(reading: Reading, metric: str, title: str, seed: int) -> tuple[bool, bool]:
    """Ask about both answers; back at the second one asks about the first again.

    Raises:
        _BackError: back at the first one.
    """
    note(f"\n{RULE}\n{title}\n{RULE}\n{inert(reading.prompt)}")
    answers = [("baseline", reading.baseline), ("candidate", reading.candidate)]
    first, second = answers[::-1] if place(reading.pair_id, seed + 1)[0] & 1 else answers
    while True:
        said = {first[0]: _asked(1, first[1], metric)}
        try:
            said[second[0]] = _asked(2, second[1], metric)
        except _BackError:
            continue
        return said["baseline"], said["candidate"]


def _asked(number: int, text: str, metric: str) -> bool:
    """Show one answer and return what the person says of it."""
    note(f"{RULE}\nanswer {number}\n{RULE}\n{inert(text)}\n")
    return _told(f"Does answer {number} count for {metric}? [y]es [n]o [s]kip [b]ack [q]uit")


def _told(question: str) -> bool:
    while True:
        word = str(typer.prompt(question, err=True)).strip().lower()[:1]
        if word in {"y", "n"}:
            return word == "y"
        if word == "s":
            raise _SkipError
        if word == "b":
            raise _BackError
        if word == "q":
            raise _StopError
        note("y, n, s, b or q")


def inert(text: str) -> str:
    """Return text that cannot speak to the terminal, cut to what is read."""
    shown = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    return shown if len(shown) <= CHARS else f"{shown[:CHARS]}\n... {len(shown) - CHARS:,} characters more"
