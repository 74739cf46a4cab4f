"""One slice of one scenario on one server: a load, and what it cost."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import httpx
from generator import KEY, MODEL, TOKENS, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxies import Server

_OTHER_EVENTS = 3
"""Of a stream: its end, its usage and [DONE]."""
_WARM_S = 60.0
_SETTLED_S = 0.6
_SETTLING_S = 60.0


@dataclass(frozen=True, slots=True)
class Slice:
    """Hold what one slice measured.

    cpu_us: of the server's process tree, for each request or token; per_s: requests or tokens a second. Times in
    milliseconds, of whole answers or, for streams, to the first byte of the body. failed: share of requests that
    were not answered well. recorded: share of exchanges that reached the control plane; None where nothing records.
    """

    cpu_us: float
    per_s: float
    p50_ms: float
    p99_ms: float
    failed: float
    recorded: float | None

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def measure(server: Server, asked: Mapping[str, Any], *, legs: int = 1, tokens: int = TOKENS) -> Slice:
    """Run one load and weigh the server before it and after it has settled.

    legs: exchanges that a request makes. tokens: of the upstream's streams.
    """
    earlier = taken(server)
    before = server.tree.weigh()
    found = load(server.tree.port, **asked)
    if server.plane:
        settle(server)
    if found["latency"] is None:
        raise RuntimeError(f"no answer of {server.tree.name} was whole within {found['seconds']:.1f} s")
    used_us = (server.tree.weigh().cpu_s - before.cpu_s) * 1e6
    streamed = bool(asked.get("stream"))
    well = found["latency"]["count"]
    units = found["events"] * tokens / (tokens + _OTHER_EVENTS) if streamed else well
    times = found["first" if streamed else "latency"]
    begun = found["done"] if not streamed else found["sent"]
    return Slice(
        cpu_us=used_us / units,
        per_s=units / found["seconds"],
        p50_ms=times["p50"] / 1e3,
        p99_ms=times["p99"] / 1e3,
        failed=(found["errors"] + found["not_200"]) / max(found["done"], 1),
        recorded=(taken(server) - earlier) / (begun * legs) if server.plane else None,
    )


def warm(server: Server) -> None:
    """Wait until a server answers a request well: some load half of themselves only then.

    Raises:
        RuntimeError: it does not, in a minute.
    """
    body = {"model": MODEL, "user": "warm", "messages": [{"role": "user", "content": "hello"}]}
    until, said = time.monotonic() + _WARM_S, "nothing"
    while time.monotonic() < until:
        try:
            answer = httpx.post(
                f"{server.tree.url}/v1/chat/completions",
                json=body,
                headers={"authorization": f"Bearer {KEY}"},
                timeout=_WARM_S,
            )
        except httpx.TransportError as exc:
            said = repr(exc)
        else:
            if answer.is_success:
                return
            said = f"{answer.status_code} {answer.text[:200]}"
        time.sleep(0.2)
    raise RuntimeError(f"{server.tree.name} answered no request well in {_WARM_S:.0f} s, at last: {said}")


def taken(server: Server, what: str = "ids") -> int:
    """Return how many exchanges the control plane has; what: `lost`, how many it was told were lost."""
    return int(httpx.get(f"{server.plane}/counts").json()[what]) if server.plane else 0


def settle(server: Server) -> None:
    """Wait until nothing more arrives at the control plane, so that late work is charged to its requests."""
    until, count, since = time.monotonic() + _SETTLING_S, -1, 0.0
    while time.monotonic() < until:
        now, here = time.monotonic(), taken(server)
        if here != count:
            count, since = here, now
        elif now - since > _SETTLED_S:
            return
        time.sleep(0.1)
