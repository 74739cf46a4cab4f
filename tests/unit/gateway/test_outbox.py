"""The outbox writes once a turn, in order, and one connection's fault is not another's."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from gatekeeper.gateway.outbox import Outbox, Wire, nowhere

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def wire_to(sent: list[tuple[str, bytes]], name: str) -> Wire:
    """Return a wire that keeps what is written to it, under a name."""
    wire = Wire()
    wire.write_now = lambda data: sent.append((name, data))
    return wire


def in_loop(act: Callable[[Outbox], None]) -> None:
    """Do something with an outbox in a loop, and let that take one more turn."""

    async def run() -> None:
        act(Outbox(asyncio.get_running_loop()))
        await asyncio.sleep(0)

    asyncio.run(run())


def test_what_is_put_is_written_in_order_at_the_turns_end():
    sent: list[tuple[str, bytes]] = []
    one, other = wire_to(sent, "one"), wire_to(sent, "other")

    def act(outbox: Outbox) -> None:
        for number, wire in enumerate([one, other, one]):
            outbox.put(wire, b"%d" % number)
        assert sent == []

    in_loop(act)
    assert sent == [("one", b"0"), ("other", b"1"), ("one", b"2")]


def test_a_flush_writes_at_once_and_once():
    sent: list[tuple[str, bytes]] = []
    one = wire_to(sent, "one")

    def act(outbox: Outbox) -> None:
        outbox.put(one, b"a")
        outbox.flush()
        assert sent == [("one", b"a")]
        outbox.put(one, b"b")

    in_loop(act)
    assert sent == [("one", b"a"), ("one", b"b")]


def test_a_connection_that_is_gone_gets_nothing():
    sent: list[tuple[str, bytes]] = []
    one, other = wire_to(sent, "one"), wire_to(sent, "other")

    def act(outbox: Outbox) -> None:
        outbox.put(one, b"a")
        outbox.put(other, b"b")
        one.write_now = nowhere

    in_loop(act)
    assert sent == [("other", b"b")]


def test_a_connection_that_cannot_be_written_to_harms_no_other(caplog: pytest.LogCaptureFixture):
    sent: list[tuple[str, bytes]] = []
    broken, other = Wire(), wire_to(sent, "other")

    def fail(data: bytes) -> None:
        raise RuntimeError(f"the handler is closed: {data!r}")

    broken.write_now = fail

    def act(outbox: Outbox) -> None:
        outbox.put(broken, b"a")
        outbox.put(other, b"b")

    with caplog.at_level(logging.ERROR):
        in_loop(act)
    assert sent == [("other", b"b")]
    assert "1 bytes not written" in caplog.text
