"""Whether the gateway holds: a million requests in flat memory, and a thousand streams at once, whole and all recorded.

`soak.py`, or `soak.py --quick`. Writes soak.json and its table in docs/gateway-performance.md; about five minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import signal
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import metrics_page
import proxies
import scenarios
import show
import slices
import streams
from generator import load
from proxies import Scene
from trees import watched

if TYPE_CHECKING:
    from proxies import Server
    from trees import Weight

REQUESTS = 1_000_000
STREAMS = 1_000
TOKENS, TOKEN_MS = 120, 500
_CHUNK_S = 10.0
_CALM_S = 8.0
"""Longer than the gateway keeps an unused upstream connection."""


def main() -> None:
    """Run both, print and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a hundredth of it; nothing is written")
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: as fast as they are answered")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    scale = 100 if asked.quick else 1
    found = {
        "requests": _requests(REQUESTS // scale, asked.rate, _CHUNK_S / scale),
        "streams": _streams(STREAMS // scale, TOKENS // (10 if asked.quick else 1)),
    }
    print(json.dumps(found, indent=1))
    table = show.soak(found)
    print(table)
    if not asked.quick:
        (show.HERE / "soak.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        show.put("soak", table)


def _gateway(stack: ExitStack, **flags: int) -> tuple[Server, str]:
    """Start upstreams and the gateway that is soaked; return it and the baseline's root URL."""
    baseline, candidate = scenarios.upstreams(folder := stack.enter_context(scenarios.workplace()), stack, **flags)
    server = proxies.gatekeeper(Scene(folder, baseline.tree.url, candidate.tree.url, candidate_bp=1_000, mirror=False))
    stack.callback(server.stop)
    slices.warm(server)
    return server, baseline.tree.url


def _requests(number: int, rate: float, chunk_s: float) -> dict[str, Any]:
    """Send so many requests, and weigh the gateway after each tenth of them."""
    with ExitStack() as stack:
        server, _ = _gateway(stack)
        answered, failed, weights, began = 0, 0, [], time.monotonic()
        while answered < number:
            found = load(server.tree.port, seconds=chunk_s, rate=rate)
            answered += found["latency"]["count"] + found["unanswered"]
            failed += found["errors"] + found["not_200"]
            weights.append(server.tree.weigh())
        took_s = time.monotonic() - began
        slices.settle(server)
        recorded = slices.taken(server)
        dropped = metrics_page.unrecorded(server)
        made = metrics_page.counts(server, "recorder_total")["accepted"]
        return {
            "requests": answered,
            "failed": failed,
            "per_s": answered / took_s,
            "mb": [round(weight.rss_mb, 1) for weight in weights],
            "fds": [weight.fds for weight in weights],
            "exchanges": made,
            "recorded": recorded,
            "dropped": dropped,
            "told_lost": slices.taken(server, "lost"),
            "unaccounted": max(made, answered) - recorded - sum(dropped.values()),
        }


def _streams(number: int, tokens: int) -> dict[str, Any]:
    """Hold so many streams open at once, compare each with the upstream's own; weigh before, meanwhile and after."""
    with ExitStack() as stack:
        server, upstream = _gateway(stack, tokens=tokens, token_ms=TOKEN_MS)
        (wanted,) = asyncio.run(streams.read(upstream, 1))
        start, earlier = _calm(server)
        began = time.monotonic()
        with watched(server.tree) as weights:
            bodies = asyncio.run(streams.read(server.tree.url, number))
        took_s = time.monotonic() - began
        end, total = _calm(server)
        recorded, dropped = total - earlier, metrics_page.unrecorded(server)
        return {
            "streams": number,
            "seconds": took_s,
            "whole": sum(map(bool, bodies)),
            "equal": sum(body == wanted for body in bodies),
            "recorded": recorded,
            "dropped": dropped,
            "told_lost": slices.taken(server, "lost"),
            "unaccounted": number - recorded - sum(dropped.values()),
            "mb": [round(mb, 1) for mb in (start.rss_mb, max(one.rss_mb for one in weights), end.rss_mb)],
            "fds": [start.fds, max(one.fds for one in weights), end.fds],
        }


def _calm(server: Server) -> tuple[Weight, int]:
    """Wait until all is recorded and unused connections are closed; return the weight, and how many were recorded."""
    slices.settle(server)
    time.sleep(_CALM_S)
    return server.tree.weigh(), slices.taken(server)


if __name__ == "__main__":
    main()
