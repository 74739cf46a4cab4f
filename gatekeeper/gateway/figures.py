"""The figures of all workers of one gateway: each leaves its page in a file, and any of them answers for all.

A worker that is started again takes over what its predecessor had counted, so that counters never fall: what a page
has shown was written before it was shown.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

import msgspec

from gatekeeper.gateway.page import COUNTER, Family, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

log = logging.getLogger(__name__)
EVERY_S = 1.0
"""How often a worker leaves its page; the figures of the others are at most this old."""
FRESH_S = 5.0
"""A worker whose page is older is not counted as reporting, and its gauges are left out."""
_PREFIX = "gatekeeper_gateway"


class _Left(msgspec.Struct):
    """Hold what a worker left. at: monotonic seconds, one clock for the machine. starts: of this worker's number."""

    at: float
    starts: int
    families: dict[str, Family]


class Figures:
    """Leave this worker's page for the others, and join theirs to it."""

    def __init__(self, folder: Path, number: int, workers: int, now: Callable[[], float] = monotonic) -> None:
        """Share `folder`, as worker `number` of 1 to `workers`."""
        self._folder = folder
        self._number = number
        self._workers = workers
        self._now = now
        self._failing = False
        before = self._read(number)
        counted = before.families if before is not None else {}
        self._before = Page({name: family for name, family in counted.items() if family.kind == COUNTER})
        self._starts = before.starts + 1 if before is not None else 1

    def leave(self, page: Page) -> Page:
        """Write this worker's page, together with what its predecessors counted; return that."""
        own = Page()
        own.add(page)
        own.add(self._before)
        left = _Left(self._now(), self._starts, own.families)
        path = self._path(self._number)
        try:
            fresh = path.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(left))
            fresh.replace(path)
        except OSError as exc:
            if not self._failing:
                log.warning("figures for the other workers not written: %s", exc)
            self._failing = True
        else:
            self._failing = False
        return own

    def joined(self, page: Page) -> Page:
        """Return the figures of all workers; this one's are those of `page`."""
        whole = self.leave(page)
        restarts = self._starts - 1
        reporting = 1
        for left in self._others():
            fresh = self._now() - left.at <= FRESH_S
            whole.add(Page(left.families), gauges=fresh)
            restarts += left.starts - 1
            reporting += fresh
        write_workers(whole, self._workers, reporting, restarts)
        return whole

    def workers(self) -> dict[str, int]:
        """Return how many workers there should be, and how many say that they are there."""
        fresh = sum(self._now() - left.at <= FRESH_S for left in self._others())
        return {"configured": self._workers, "reporting": 1 + fresh}

    def _others(self) -> Iterator[_Left]:
        for number in range(1, self._workers + 1):
            if number != self._number and (left := self._read(number)) is not None:
                yield left

    def _read(self, number: int) -> _Left | None:
        try:
            return msgspec.json.decode(self._path(number).read_bytes(), type=_Left)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as exc:
            log.warning("figures of worker %d not read: %s", number, exc)
            return None

    def _path(self, number: int) -> Path:
        return self._folder / f"worker-{number}.json"


def write_workers(page: Page, workers: int, reporting: int, restarts: int) -> None:
    """Write how many workers there are."""
    page.family(f"{_PREFIX}_workers", "gauge", "Workers that share the port.")
    page.value(f"{_PREFIX}_workers", workers)
    page.family(f"{_PREFIX}_workers_reporting", "gauge", f"Workers heard from in the last {FRESH_S:g} s.")
    page.value(f"{_PREFIX}_workers_reporting", reporting)
    page.family(f"{_PREFIX}_worker_restarts_total", COUNTER, "Workers that ended and were started again.")
    page.value(f"{_PREFIX}_worker_restarts_total", restarts)
