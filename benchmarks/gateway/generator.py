"""The C load generator and the C stub, as this benchmark calls them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from tools import compiled, free_port
from trees import OURS, Tree, on_core

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "bench"
"""The model that clients ask for."""
KEY = "sk-bench"
TOKENS = 64
"""Of a stream, where nothing else is said."""
_PATIENCE_S = 60.0


def stub(folder: Path, name: str, **flags: int) -> Tree:
    """Start an upstream; flags: of stub.c, with `_` for `-`."""
    port = free_port()
    command = [str(compiled("stub")), "--port", str(port)]
    for flag, value in flags.items():
        command += [f"--{flag.replace('_', '-')}", str(value)] if value else []
    return Tree(name, command, port=port, log=folder / f"{name}-{port}.log").ready()


def load(
    port: int,
    *,
    seconds: float,
    connections: int = 32,
    rate: float = 0.0,
    stream: bool = False,
    warmup_s: float = 0.0,
) -> dict[str, Any]:
    """Send requests and return what load.c measured; times in microseconds. rate 0: as fast as they are answered.

    Raises:
        RuntimeError: the generator itself failed, or no request was answered.
    """
    command = [str(compiled("load")), "--port", str(port), "--seconds", str(seconds), "--warmup", str(warmup_s)]
    command += ["--connections", str(connections), "--rate", str(rate), "--model", MODEL]
    command += ["--header", f"authorization: Bearer {KEY}", *(["--stream"] if stream else [])]
    with on_core(OURS):
        done = subprocess.run(  # noqa: S603 - the command is this benchmark's own
            command, capture_output=True, text=True, check=False, timeout=seconds + warmup_s + _PATIENCE_S
        )
    try:
        measured: dict[str, Any] = json.loads(done.stdout)
    except ValueError as exc:
        raise RuntimeError(f"load ended with code {done.returncode}: {(done.stderr or done.stdout)[-300:]}") from exc
    if not measured["first" if stream else "latency"]:
        raise RuntimeError(f"no request to port {port} was answered: {done.stdout.strip()}")
    return measured
