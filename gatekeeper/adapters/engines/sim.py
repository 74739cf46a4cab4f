"""A simulated serving engine for tests and rehearsals: it says so in every answer, and needs no model.

It answers with the words of a function handed in by name, at a pace handed in by flags; `POST /sim {"mode": ...}`
makes it misbehave. Every response carries `x-gatekeeper-simulated: 1`.
"""

from __future__ import annotations

import os
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING

from gatekeeper.adapters.engines._process import EngineServer, Launch, environment
from gatekeeper.adapters.sockets import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SERVER = "gatekeeper.adapters.engines._sim_main"


class SimServer(EngineServer):
    """Own one simulated server."""


def start(
    model: str,
    *,
    served_name: str,
    host: str = "127.0.0.1",
    port: int | None = None,
    cores: tuple[int, ...] | None = None,
    flags: Mapping[str, str | int | bool] = MappingProxyType({}),
    log_path: Path,
    ready_timeout_s: float = 30.0,
    die_with_parent: bool = True,
) -> SimServer:
    """Spawn a simulated server and return at once; wait with `.ready()`.

    model: handed to the answering function, which knows what such a model would say. cores: not used.
    flags: answers (`module:function` of model, prompt, and seed or None at temperature 0), ttft-ms, tpot-ms, slots,
        seed and mode; `_` or `-` alike.

    Raises:
        EngineError: it cannot be started.
    """
    del cores  # it needs next to no processor
    port = free_port(host) if port is None else port
    command = [sys.executable, "-m", SERVER, model, "--served-name", served_name, "--host", host, "--port", str(port)]
    command += ["--parent", str(os.getpid())] if die_with_parent else []
    for name, value in flags.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    return SimServer(
        Launch(
            engine="sim",
            model=model,
            served_name=served_name,
            command=command,
            environment=environment(),
            host=host,
            port=port,
            log_path=log_path,
            ready_timeout_s=ready_timeout_s,
            advice={"unrecognized arguments": "flags it knows: answers, ttft-ms, tpot-ms, slots, seed, mode"},
        )
    )
