"""What users feel of a candidate that misbehaves while every request is copied to it: `isolation.py`, or `--quick`.

Each slice with copies stands between two without; nginx's mirror is measured beside ours. Writes isolation.json and
its table in docs/gateway-performance.md; about eight minutes.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import generator
import httpx
import metrics_page
import proxies
import scenarios
import show
import slices
from proxies import Scene
from tools import HERE, Missing, free_port
from trees import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from proxies import Server

ROUNDS = 5
SECONDS = 6.0
RATE = 200.0
_CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Candidate:
    """Hold a running candidate, and how to ask it for the copies that it has read (which may end it)."""

    tree: Tree
    reached: Callable[[], int]


def _stub(**flags: int) -> Callable[[Path], Candidate]:
    def begin(folder: Path) -> Candidate:
        tree = generator.stub(folder, "candidate", **flags)

        def reached() -> int:
            tree.stop()
            return int(json.loads(tree.log.read_text().splitlines()[-1])["shadows"])

        return Candidate(tree, reached)

    return begin


def _bad(mode: str) -> Callable[[Path], Candidate]:
    def begin(folder: Path) -> Candidate:
        port = free_port()
        command = [sys.executable, str(HERE / "bad_candidate.py"), str(port), mode]
        tree = Tree("candidate", command, port=port, log=folder / "candidate.log").ready()
        return Candidate(tree, lambda: int(httpx.get(f"{tree.url}/count").text))

    return begin


CANDIDATES: dict[str, Callable[[Path], Candidate]] = {
    "answers at once": _stub(),
    "never answers": _stub(hang=1),
    "answers in 500 ms": _stub(answer_ms=500),
    "resets the connection": _bad("reset"),
    "one byte a second": _bad("trickle"),
}


def main() -> None:
    """Measure every candidate and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round each; nothing is written")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    rounds, seconds = (1, SECONDS / 6) if asked.quick else (ROUNDS, SECONDS)
    found = {}
    for name, begin in CANDIDATES.items():
        found[name] = _measure(begin, rounds, seconds)
        print(f"{name}: {json.dumps(found[name])}", flush=True)
    table = show.isolation(found)
    print(table)
    if not asked.quick:
        (HERE / "isolation.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        show.put("isolation", table)


def _measure(begin: Callable[[Path], Candidate], rounds: int, seconds: float) -> dict[str, Any]:
    """Return p50 and p99 by server and round, and what became of the copies."""
    with ExitStack() as stack:
        folder = stack.enter_context(scenarios.workplace())
        baseline, _ = scenarios.upstreams(folder, stack)
        candidate = begin(folder)
        stack.callback(candidate.tree.stop)
        alone = Scene(folder, baseline.tree.url, candidate.tree.url, candidate_bp=0, mirror=False)
        copied = Scene(folder, baseline.tree.url, candidate.tree.url, candidate_bp=0, mirror=True)
        servers = {"alone": proxies.gatekeeper(alone), "copied": proxies.gatekeeper(copied)}
        try:
            servers["nginx"] = proxies.nginx_split(copied)
        except Missing as exc:
            print(f"nginx: {exc}")
        for server in servers.values():
            stack.callback(server.stop)
        slices.warm(servers["alone"])
        times: dict[str, list[dict[str, float] | None]] = {name: [] for name in servers}
        for _ in range(rounds):
            for name in ("alone", "copied", "alone", "nginx"):
                if name in servers:
                    times[name].append(_slice(servers[name], seconds))
        return {"times": times, "copies": _copies(servers["copied"], candidate)}


def _slice(server: Server, seconds: float) -> dict[str, float] | None:
    """Return the percentiles in milliseconds, and how many were answered; None: no request was."""
    try:
        found = generator.load(server.tree.port, seconds=seconds, rate=RATE, connections=_CONNECTIONS)
    except RuntimeError:
        return None
    times = found["latency"]
    return {"p50_ms": times["p50"] / 1e3, "p99_ms": times["p99"] / 1e3, "answered": times["count"] / found["sent"]}


def _copies(server: Server, candidate: Candidate) -> dict[str, int]:
    """Return what the gateway counted of the copies; users: requests to copy; reached: what the candidate has read."""
    mirrored = metrics_page.counts(server, "mirrored_total")
    users = sum(metrics_page.counts(server, "requests_total").values())
    return {**mirrored, "users": users, "reached": candidate.reached()}


if __name__ == "__main__":
    main()
