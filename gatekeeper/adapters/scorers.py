"""Users' own scorers: Python files, and what installed packages offer; in a process of their own, bounded in time."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections import Counter
from functools import cached_property
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from gatekeeper import registry
from gatekeeper.adapters._scorer_main import GROUP
from gatekeeper.adapters.engines._process import environment
from gatekeeper.errors import InputError
from gatekeeper.model.metric import Score
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from gatekeeper.model.exchange import Exchange

TIMEOUT_S = 1.0
"""Longest time for one answer."""

START_S = 60.0
"""Longest time for importing all scorers."""

GIVE_UP = 3
"""A scorer that hangs or dies so many times in a row is asked no more."""

_MAIN = "gatekeeper.adapters._scorer_main"
_NAME = re.compile(r"[A-Za-z0-9_-]+")


class OwnScorers:
    """Score exchanges by users' own scorers; safe among threads, and after a fork. Close it, or use it in `with`.

    The process starts with the first exchange.
    """

    def __init__(self, files: Sequence[Path] = (), *, timeout_s: float = TIMEOUT_S) -> None:
        """Keep the files; what packages offer in the entry-point group `gatekeeper.scorers` is found by itself.

        Raises:
            InputError: a file that is not there.
        """
        self._files = tuple(files)
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._failures: Counter[str] = Counter()
        for path in files:
            if not path.is_file():
                raise InputError(f"{path}: no such file; expected a Python file with a function score(exchange)")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name the scorers: those of files, then those of packages.

        Raises:
            InputError: a name that cannot be a metric's or is taken.
        """
        names = (*(path.stem for path in self._files), *self._installed)
        _check(names)
        return names

    @cached_property
    def _installed(self) -> tuple[str, ...]:
        return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """End the process, if there is one; the next exchange starts another."""
        with self._lock:
            self._end()

    def score(self, exchange: Exchange) -> Mapping[str, Score]:
        """Return each scorer's value of an answered exchange; None with a reason where it has none.

        Raises:
            InputError: a file cannot be imported, or names cannot stand together.
        """
        if not self.names:
            return {}
        plain = to_dict(exchange)
        with self._lock:
            found: dict[str, Score] = {}
            while waiting := [name for name in self.names if name not in found and self._failures[name] < GIVE_UP]:
                self._ask(plain, waiting, found)
        given_up = Score(None, f"given up after {GIVE_UP} failures in a row")
        return {name: found.get(name, given_up) for name in self.names}

    def _ask(self, plain: dict[str, Any], waiting: Sequence[str], found: dict[str, Score]) -> None:
        """Ask the scorers in turn, up to the first that hangs or dies."""
        child = self._running()
        child.send({"exchange": plain, "scorers": waiting})
        for name in waiting:
            line = child.line(self._timeout_s)
            if isinstance(line, str):
                self._failures[name] += 1
                found[name] = Score(None, line)
                self._end()
                return
            self._failures[name] = 0
            found[name] = Score(line["value"], line["reason"])

    def _running(self) -> _Child:
        if self._child is not None and self._child.pid_of_parent == os.getpid():
            return self._child
        command = [sys.executable, "-m", _MAIN, "--parent", str(os.getpid())]
        for path in self._files:
            command += ["--file", str(path)]
        for name in self._installed:
            command += ["--installed", name]
        child = _Child(command)
        hello = child.line(START_S)
        if isinstance(hello, str) or "error" in hello:
            child.end()
            raise InputError(f"scorer {hello if isinstance(hello, str) else hello['error']}")
        self._child = child
        return child

    def _end(self) -> None:
        if self._child is not None and self._child.pid_of_parent == os.getpid():
            self._child.end()
        self._child = None


class _Child:
    """Talk to the process: a line out, lines in, none waited for without bound."""

    def __init__(self, command: Sequence[str]) -> None:
        self.pid_of_parent = os.getpid()
        self._process = subprocess.Popen(  # noqa: S603 - our own module, and files that the user named
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, env=environment()
        )
        self._read = b""

    def send(self, request: dict[str, Any]) -> None:
        """Send a request; a process that has died is found out when its answer does not come."""
        if self._process.stdin is None:
            raise ValueError("the process has no stdin; expected a pipe")
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return

    def line(self, timeout_s: float) -> dict[str, Any] | str:
        """Return the next line, or why there is none."""
        if self._process.stdout is None:
            raise ValueError("the process has no stdout; expected a pipe")
        file, until = self._process.stdout.fileno(), time.monotonic() + timeout_s
        while b"\n" not in self._read:
            ready, _, _ = select.select([file], [], [], max(until - time.monotonic(), 0.0))
            if not ready:
                return f"it took longer than {timeout_s:g} s"
            block = os.read(file, 1 << 16)
            if not block:
                return "its process died"
            self._read += block
        first, _, self._read = self._read.partition(b"\n")
        found: dict[str, Any] = json.loads(first)
        return found

    def end(self) -> None:
        """Kill the process and close the pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue


def _check(names: Sequence[str]) -> None:
    """Check that each name can be a metric's and is nobody else's."""
    ours = {
        column.removeprefix("extra.")
        for name in registry.names("metrics")
        for column in registry.load("metrics", name).SPEC.columns
        if column.startswith("extra.")
    }
    for place, name in enumerate(names):
        if not _NAME.fullmatch(name):
            raise InputError(f"scorer {name!r}: its name becomes the metric extra.NAME: letters, digits, _ and - only")
        if name in ours:
            raise InputError(f"scorer {name!r}: extra.{name} is a built-in metric's; give the file another name")
        if name in names[:place]:
            raise InputError(f"scorer {name!r}: there are two of this name; rename one")
