"""Answers on disk: an exchange a line, with a `gate` object that says what was asked.

A file that a run adds to (a journal) survives the run's death at any point: each line is written as its answer comes,
and a thread brings the lines to the disk. A record that people keep is the same without the journal's marks.
"""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from gatekeeper.errors import Fault, InputError, NotFoundError, PolicyError
from gatekeeper.model.answer import Answer
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.wire import from_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

DONE, OUTAGE = "done", "outage"
_MARK = "mark"


@dataclass(frozen=True, slots=True)
class Kept:
    """Hold what a journal knew when it was opened; done: its run asked everything."""

    answers: tuple[Answer, ...] = ()
    done: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    evalset: str
    sample: str
    repeat: int
    asked: str


def to_line(answer: Answer) -> bytes:
    """Return an answer as one line of JSON: an exchange, and under `gate` what was asked."""
    asked = {"evalset": answer.evalset, "sample": answer.sample, "repeat": answer.repeat, "asked": answer.asked}
    return orjson.dumps({**to_dict(answer.exchange), "gate": asked}, option=orjson.OPT_APPEND_NEWLINE)


def read_record(path: Path) -> list[Answer]:
    """Read a record made by `gate --record`.

    Raises:
        NotFoundError: no such file.
        PolicyError: with each line that is no recorded answer.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as exc:
        raise NotFoundError(f"{path}: not found; `gatekeeper gate --baseline URL --record {path}` makes it") from exc
    found: list[Answer] = []
    faults: list[Fault] = []
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            try:
                found.append(_answer(orjson.loads(line)))
            except (orjson.JSONDecodeError, InputError) as exc:
                faults.append(Fault(f"{exc}; expected a line that `gate --record` wrote", file=str(path), line=number))
    if faults:
        raise PolicyError(tuple(faults[:20]))
    return found


class Journal:
    """Add answers to a file as they come; use as `with`, by one run at a time.

    kept: what the file knew when it was opened. held: False when another run has the file: nothing is read or kept.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, and read what an earlier run left in it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.kept = Kept()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self.held = _lock(self._file)
        self._dirty, self._over = threading.Event(), False
        self._syncer = threading.Thread(target=self._sync, name="journal", daemon=True)
        if self.held:
            self.kept = _recover(path, self._file)
            self._syncer.start()

    def add(self, answer: Answer) -> None:
        """Write an answer; it outlives this process at once, and the machine a moment later."""
        self._write(to_line(answer))

    def mark(self, what: str) -> None:
        """Note that the run asked everything (DONE), or gave the arm up as out of order (OUTAGE)."""
        self._write(orjson.dumps({_MARK: what}, option=orjson.OPT_APPEND_NEWLINE))

    def restart(self) -> None:
        """Forget what an earlier run left."""
        self.kept = Kept()
        if self.held:
            os.ftruncate(self._file, 0)

    def forget(self) -> None:
        """Remove the file: its run is over."""
        if self.held:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Bring everything to the disk, and let go of the file."""
        if self.held:
            self._over = True
            self._dirty.set()
            self._syncer.join()
        os.close(self._file)

    def _write(self, line: bytes) -> None:
        if self.held:
            os.write(self._file, line)
            self._dirty.set()

    def _sync(self) -> None:
        """Bring lines to the disk, those that came meanwhile together: the asking never waits for it."""
        while not self._over:
            self._dirty.wait()
            self._dirty.clear()
            os.fsync(self._file)


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _recover(path: Path, file: int) -> Kept:
    """Read a journal up to its last whole line; what a crash left behind it is cut off.

    Failures from before an arm was given up are left out: the arm is to be asked again.
    """
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    os.ftruncate(file, len(whole))
    lines: list[dict[str, Any]] = []
    for line in whole.splitlines():
        with suppress(orjson.JSONDecodeError):
            lines.append(orjson.loads(line))
    answers: dict[Any, Answer] = {}
    for plain in lines:
        if plain.get(_MARK) == OUTAGE:
            answers = {key: answer for key, answer in answers.items() if answer.exchange.error is None}
        elif _MARK not in plain:
            with suppress(InputError):
                answer = _answer(plain)
                answers[answer.key] = answer
    return Kept(tuple(answers.values()), done=_is_done(lines))


def _is_done(lines: Iterable[dict[str, Any]]) -> bool:
    return any(plain.get(_MARK) == DONE for plain in lines)


def _answer(plain: Any) -> Answer:  # noqa: ANN401 - whatever the line holds
    """Build an answer from a line's value.

    Raises:
        InputError: it is none.
    """
    if not isinstance(plain, dict) or not isinstance(plain.get("gate"), dict):
        raise InputError("found no `gate` object that says what was asked")
    exchange = from_dict(Exchange, {key: value for key, value in plain.items() if value is not None})
    asked = from_dict(_Asked, plain["gate"])
    return Answer(exchange=exchange, evalset=asked.evalset, sample=asked.sample, repeat=asked.repeat, asked=asked.asked)
