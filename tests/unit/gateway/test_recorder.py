"""The recorder: what it takes is handed on, raw and read; what it cannot take is counted, and its stage is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import structs

from gatekeeper.adapters.memory_world import MemorySpool
from gatekeeper.captures.frames import frame_of
from gatekeeper.captures.raw import RawExchange
from gatekeeper.gateway.http import Head, Request, RequestHead
from gatekeeper.gateway.recorder import Recorder
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.exchange import Exchange, Place

RAW = RawExchange("a", 1.0, Arm.BASELINE, "s", "r", 1, 0, path="/v1/embeddings", status=200)
GOOD = structs.replace(RAW, pieces=[b'{"data": []}'], times=[1.0])
UNREAD = structs.replace(RAW, coding="br")


class Captured:
    """Be a capture that becomes `raw`."""

    def __init__(self, raw: RawExchange, pair_id: str | None = None) -> None:
        """Keep it."""
        self._raw = raw
        self.size = sum(map(len, raw.pieces))
        self.cut, self.failure = raw.cut, raw.failure
        self.head = Head(raw.status, b"", 0, raw.content_type, raw.coding)
        self.request = Request(
            RequestHead(b"", b"", "", [], b"", b"", 1), raw.request, keep_alive=True, peer="", arrived=0
        )
        self.pair_id = pair_id

    @property
    def place(self) -> Place:
        """Return what it is evidence for."""
        return self._raw.place

    def frame(self) -> bytes:
        """Write it."""
        return frame_of(self._raw, self._raw.id)

    def raw(self) -> RawExchange:
        """Return it."""
        return self._raw


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)
    assert holds()


def test_the_spool_gets_captures_as_they_are():
    spool = MemorySpool()
    recorder = Recorder(spool, (), bound=100)
    for raw in (GOOD, UNREAD, GOOD):
        recorder.put(Captured(raw))
    until(lambda: len(spool.captures) == 2)
    recorder.put(Captured(structs.replace(GOOD, cut=True, content_type="text/event-stream")))
    recorder.close()
    assert spool.captures[:2] == [GOOD, GOOD]
    assert spool.losses == {RAW.place: 1}
    counts = {name: count for name, count in recorder.counts.items() if count}
    assert counts == {"accepted": 4, "recorded": 3, "cut": 1, "dropped_unread": 1}


def test_long_captures_and_such_as_are_no_frames_are_left_to_the_spool():
    spool = MemorySpool()
    long, odd = structs.replace(GOOD, pieces=[b"x" * 100_000]), structs.replace(GOOD, expect=({"n": 2**70},))
    asked = structs.replace(GOOD, request=b"x" * 100_000)
    recorder = Recorder(spool, (), bound=100)
    for raw in (GOOD, long, odd, asked):
        recorder.put(Captured(raw))
    recorder.close()
    assert spool.captures == [GOOD, long, odd, asked]
    assert (recorder.counts["recorded"], recorder.waiting) == (4, 0)


def test_takers_get_exchanges_and_their_fault_is_counted():
    taken: list[str] = []

    def take(exchange: Exchange) -> None:
        if taken:
            raise RuntimeError("full")
        taken.append(exchange.id)

    spool = MemorySpool()
    recorder = Recorder(spool, [take], bound=100)
    for raw in (UNREAD, GOOD, GOOD):
        recorder.put(Captured(raw))
    recorder.close()
    assert taken == ["a"]
    assert spool.captures == [GOOD]
    assert (recorder.counts["dropped_unread"], recorder.counts["dropped_fault"]) == (1, 1)
    assert spool.losses == {RAW.place: 2}


def test_a_full_queue_sheds_pairs_first_and_counts():
    spool = MemorySpool()
    recorder = Recorder(spool, (), bound=0)
    recorder.put(Captured(GOOD))
    recorder.close()
    assert recorder.counts["dropped_queue_full"] == 1
    nearly = Recorder(spool, (), bound=4)
    nearly.close()
    for pair_id in (None, None, None, "p", None, None):
        nearly.put(Captured(GOOD, pair_id))
    assert nearly.waiting == 4
    assert (nearly.counts["dropped_shadow_shed"], nearly.counts["dropped_queue_full"]) == (1, 1)
    assert spool.losses == {RAW.place: 3}


def test_the_spool_has_time_for_its_notices_when_nothing_comes():
    puts: list[int] = []

    class Spool(MemorySpool):
        def put(self, batch: list[RawExchange]) -> None:
            puts.append(len(batch))

    recorder = Recorder(Spool(), (), bound=10)
    until(lambda: bool(puts))
    recorder.close()
    assert puts[0] == 0
