"""The supervisor waits for every worker that it has not found dead, also for one that dies while it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.gateway import supervisor
from gatekeeper.gateway.supervisor import _Crew, _Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


class Dying:
    """Be a process that is found alive as often as told, and dead from then on."""

    exitcode = -9

    def __init__(self, sentinel: int, found_alive: int) -> None:
        """Keep how long it lives."""
        self.sentinel = sentinel
        self._found_alive = found_alive

    def is_alive(self) -> bool:
        """Tell, and grow older."""
        self._found_alive -= 1
        return self._found_alive >= 0


def _crew(monkeypatch: pytest.MonkeyPatch, *processes: Dying, started: float) -> _Crew:
    rest: Iterator[Dying] = iter(processes)
    monkeypatch.setattr(supervisor, "monotonic", lambda: 100.0)
    monkeypatch.setattr(
        _Crew,
        "_start",
        lambda _self, _number: _Worker(next(rest), started),  # type: ignore[arg-type]  # as far as it is used
    )
    return _Crew(None, 2)  # type: ignore[arg-type]  # it only hands its role on


def test_one_that_dies_after_it_was_found_alive_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    crew = _crew(monkeypatch, Dying(1, 1), Dying(2, 9), Dying(3, 9), started=0.0)
    assert crew.restart() == ([1, 2], None)
    assert crew.restart() == ([3, 2], None)


def test_one_that_died_at_once_is_started_again_later(monkeypatch: pytest.MonkeyPatch):
    crew = _crew(monkeypatch, Dying(1, 0), Dying(2, 9), started=99.5)
    assert crew.restart() == ([2], 0.5)
