"""After a flood of connections the gateway keeps nothing of them."""

from __future__ import annotations

import contextlib
import gc
import json
import socket
import time
from typing import TYPE_CHECKING, Any

from gatekeeper.gateway.proxy import Plan
from gatekeeper.gateway.tide import FLOOD

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.split import Split

KEY = "one of a flood"
SEEN_S = 0.5
"""Many times the gateway's interval between looks at its connections."""
BODY = json.dumps({"model": "bot", "messages": [], "user": KEY}).encode()
REQUEST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


def planned() -> bool:
    gc.collect()
    return any(type(thing) is Plan and thing.labels.key == KEY for thing in gc.get_objects())


def test_what_was_remembered_of_a_flood_is_forgotten_when_it_is_over(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    running = gateway(split(upstream()))
    with contextlib.ExitStack() as flood:
        first, *_ = [flood.enter_context(socket.create_connection(running.address, 10)) for _ in range(FLOOD)]
        for _ in range(2):
            first.sendall(REQUEST)
            assert first.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert planned()
        time.sleep(SEEN_S)
    until = time.monotonic() + 30
    while planned() and time.monotonic() < until:
        time.sleep(0.1)
    assert not planned()
