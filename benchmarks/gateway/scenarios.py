"""What is measured: each scenario runs every server in turn, each slice between two of what it is paired with."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import generator
import slices
from proxies import MIRRORING, OURS, PEERS, Scene, Server
from slices import Slice
from tools import CACHE, Missing

if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECT = "nothing between"
_SHARE_BP = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Describe one measurement: the load, seconds of a slice, the upstream's flags, who takes part.

    added: compared with nothing between, by difference; otherwise with our gateway, by ratio.
    """

    title: str
    load: Mapping[str, Any]
    seconds: float
    stub: Mapping[str, int] = field(default_factory=dict)
    among: Sequence[str] = tuple(PEERS)
    mirror: bool = False
    added: bool = False


_SHORT = {"tokens": 8, "token_ms": 10}
SCENARIOS = {
    "requests": Scenario(title="32 connections, as fast as answered", load={"connections": 32}, seconds=2.0),
    "streams": Scenario(
        title="16 streams of 64 tokens, 20 ms apart", load={"connections": 16, "stream": True}, seconds=6.0
    ),
    "firehose": Scenario(
        title="256 streams of 64 tokens, 20 ms apart: 12,800 tokens/s",
        load={"connections": 256, "stream": True},
        seconds=6.0,
    ),
    "mirror": Scenario(
        title="32 connections, every request copied",
        load={"connections": 32},
        seconds=2.0,
        among=MIRRORING,
        mirror=True,
    ),
    "latency": Scenario(
        title="50 requests/s, whatever the server does",
        load={"connections": 64, "rate": 50.0, "warmup_s": 0.5},
        seconds=6.0,
        added=True,
    ),
    "first-token": Scenario(
        title="50 streams/s of 8 tokens, 10 ms apart, whatever the server does",
        load={"connections": 128, "rate": 50.0, "stream": True, "warmup_s": 0.5},
        seconds=6.0,
        stub=_SHORT,
        added=True,
    ),
}


def run(scenario: Scenario, rounds: int, scale: float) -> dict[str, Any]:
    """Run a scenario so many times; scale: of the slices' length. Returns figures by server, and who is missing."""
    rows: dict[str, list[dict[str, Any]]] = {}
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(workplace())
        servers = start(scenario, folder, stack, missing)
        against = DIRECT if scenario.added else OURS
        asked = {**scenario.load, "seconds": scenario.seconds * scale}
        shape = {"legs": 2 if scenario.mirror else 1, "tokens": scenario.stub.get("tokens", generator.TOKENS)}

        def one(name: str) -> Slice | None:
            try:
                return slices.measure(servers[name], asked, **shape)
            except RuntimeError as exc:
                missing[name] = str(exc)
                return None

        for _ in range(rounds):
            before = one(against)
            for name in [each for each in servers if each != against]:
                found, after = one(name), one(against)
                if found is not None and before is not None and after is not None:
                    rows.setdefault(name, []).append(paired(found, before, after, added=scenario.added))
                if after is not None:
                    rows.setdefault(against, []).append(after.plain())
                before = after
    return {"title": scenario.title, "against": against, "rows": rows, "missing": missing}


def paired(found: Slice, before: Slice, after: Slice, *, added: bool) -> dict[str, Any]:
    """Add to a slice how it compares with the mean of the two around it."""
    paired = found.plain()
    if added:
        for name in ("p50_ms", "p99_ms"):
            paired[f"added_{name}"] = getattr(found, name) - statistics.fmean(
                (getattr(before, name), getattr(after, name))
            )
    else:
        paired["ratio"] = found.cpu_us / statistics.fmean((before.cpu_us, after.cpu_us))
    return paired


def start(scenario: Scenario, folder: Path, stack: ExitStack, missing: dict[str, str]) -> dict[str, Server]:
    """Start two upstreams and every server that can be had; each answers before it is measured."""
    baseline, candidate = upstreams(folder, stack, **scenario.stub)
    share_bp = 0 if scenario.mirror else _SHARE_BP
    scene = Scene(folder, baseline.tree.url, candidate.tree.url, share_bp, scenario.mirror)
    servers = {} if scenario.mirror else {DIRECT: baseline}
    for name in scenario.among:
        try:
            server = PEERS[name](scene)
            stack.callback(server.stop)
            slices.warm(server)
        except (Missing, RuntimeError) as exc:
            missing[name] = str(exc)
            continue
        servers[name] = server
    return servers


def upstreams(folder: Path, stack: ExitStack, **flags: int) -> tuple[Server, Server]:
    """Start baseline and candidate, alike."""
    made = []
    for name in ("baseline", "candidate"):
        tree = generator.stub(folder, name, **flags)
        stack.callback(tree.stop)
        made.append(Server(tree))
    return made[0], made[1]


@contextmanager
def workplace() -> Iterator[Path]:
    """Give a folder for configurations, logs and spools; gone afterwards."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        yield Path(folder)
