"""What each server holds in memory: idle, and with a thousand streams open."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import scenarios
from generator import load
from scenarios import DIRECT, Scenario
from trees import watched

STREAMS = 1_000
_SLOW = Scenario(title="", load={}, seconds=0.0, stub={"tokens": 64, "token_ms": 1000})


def run(seconds: float) -> dict[str, Any]:
    """Open the streams on each server in turn; megabytes of its process tree, and how many streams had begun."""
    rows: dict[str, dict[str, float]] = {}
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        servers = scenarios.start(_SLOW, stack.enter_context(scenarios.workplace()), stack, missing)
        servers.pop(DIRECT)
        for name, server in servers.items():
            idle_mb = server.tree.weigh().rss_mb
            try:
                with watched(server.tree) as weights:
                    found = load(server.tree.port, connections=STREAMS, seconds=seconds, stream=True)
            except RuntimeError as exc:
                missing[name] = str(exc)
                continue
            open_mb = max(weight.rss_mb for weight in weights)
            rows[name] = {"idle_mb": idle_mb, "open_mb": open_mb, "begun": found["first"]["count"]}
    return {"streams": STREAMS, "rows": rows, "missing": missing}
