"""The gateway as a process of its own: one worker, or a supervisor of several on one port."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import signal
import socket
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from gatekeeper.adapters.splitfeed import HttpSplitFeed, SplitFeed
from gatekeeper.adapters.spool import DiskSpool, Shipper, SpoolReader
from gatekeeper.gateway.app import Gateway
from gatekeeper.gateway.limits import Limits
from gatekeeper.model.split import Split

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

log = logging.getLogger(__name__)
_SWITCH_S = 0.0005
"""How long the recorder's thread may keep the event loop from running."""
_RESTART_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Hold what a gateway process is to do; it travels to worker processes.

    split: fixed, from flags; None when a control plane is followed. api_url: "" when none is. drain_s: how long
    requests under way may take after SIGTERM.
    """

    host: str
    port: int
    split: Split | None = None
    record: Path | None = None
    api_url: str = ""
    api_key: str = ""
    gateway_id: str = ""
    data_dir: Path = Path("gatekeeper-data")
    show_release: bool = False
    drain_s: float = 30.0
    limits: Limits = field(default_factory=Limits)


def reserve(host: str, port: int) -> socket.socket:
    """Hold a port, without listening, so that workers may share it.

    Raises:
        OSError: the port is taken or the host is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:  # a shared bind would also join a stranger's port
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        port = probe.getsockname()[1]
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((host, port))
    except OSError:
        held.close()
        raise
    return held


def run(role: Role, number: int = 1) -> None:
    """Serve until SIGTERM or SIGINT, then drain. number: of this worker, from 1; each has its own spool and id."""
    sys.setswitchinterval(_SWITCH_S)
    with ExitStack() as stack:
        gateway = _assemble(role, number, stack)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(gateway, role))


def _assemble(role: Role, number: int, stack: ExitStack) -> Gateway:
    takers = []
    if role.record is not None:
        from gatekeeper.gateway.record import SampleFile  # noqa: PLC0415 - scorers are loaded only where they score

        samples = SampleFile(role.record)
        stack.callback(samples.close)
        takers.append(samples.take)
    if not role.api_url:
        feed = SplitFeed(initial=[role.split] if role.split is not None else [])
        catch_all = role.split.service if role.split is not None else None
        return Gateway(feed, None, role.limits, catch_all=catch_all, show_release=role.show_release, takers=takers)
    feed = SplitFeed(
        role.data_dir / f"last-good-split-{number}.json", initial=[role.split] if role.split is not None else []
    )
    spool = DiskSpool(role.data_dir / f"gateway-spool-{number}")
    name = f"{role.gateway_id}-{number}"
    shipper = Shipper(SpoolReader(spool.directory), api_url=role.api_url, api_key=role.api_key, gateway_id=name)
    poller = HttpSplitFeed(feed, api_url=role.api_url, api_key=role.api_key, gateway_id=name)
    poller.start()
    shipper.start()
    stack.callback(shipper.stop)
    stack.callback(spool.close)
    stack.callback(poller.stop)
    return Gateway(feed, spool, role.limits, show_release=role.show_release, takers=takers)


async def _serve(gateway: Gateway, role: Role) -> None:
    ending = asyncio.Event()
    for ended_by in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(ended_by, ending.set)
    await gateway.start(role.host, role.port, reuse_port=True)
    log.info("serving on %s:%d", role.host, gateway.port)
    await ending.wait()
    await gateway.drain(role.drain_s)


def supervise(role: Role, workers: int) -> None:
    """Run workers on one port until SIGTERM or SIGINT; one that dies is started again, the others do not notice."""
    context = multiprocessing.get_context("spawn")
    ending = threading.Event()
    for ended_by in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ended_by, lambda *_: ending.set())

    def start(number: int) -> SpawnProcess:
        worker = context.Process(target=run, args=(role, number), name=f"gateway-{number}")
        worker.start()
        return worker

    living = {number: start(number) for number in range(1, workers + 1)}
    while not ending.wait(_RESTART_S):
        for number, worker in living.items():
            if not worker.is_alive():
                log.error("worker %d ended with code %s and is started again", number, worker.exitcode)
                living[number] = start(number)
    for worker in living.values():
        worker.terminate()
    for worker in living.values():
        worker.join()
