"""The gateway as a process of its own: one worker on a port, which others may share."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from gatekeeper.adapters.splitfeed import HttpSplitFeed, SplitFeed
from gatekeeper.adapters.spool import DiskSpool, Shipper, SpoolReader
from gatekeeper.errors import InputError
from gatekeeper.gateway.app import Gateway
from gatekeeper.gateway.figures import Figures
from gatekeeper.gateway.limits import Limits
from gatekeeper.gateway.listen import Door
from gatekeeper.gateway.override import Overrides
from gatekeeper.gateway.tls import Certificate, trusting
from gatekeeper.model.split import Split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from ssl import SSLContext

    from gatekeeper.model.exchange import Exchange
    from gatekeeper.ports import Carrier

log = logging.getLogger(__name__)
_SWITCH_S = 0.0005
"""How long the recorder's thread may keep the event loop from running."""

_GARBAGE = (20_000, 20, 50)
"""How seldom cycles of objects are looked for: ordinary requests leave none, and what is loaded stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Hold what a gateway process is to do; it travels to worker processes.

    split: fixed, from flags; None when a control plane is followed. api_url: "" when none is. override_key: see
    `Gateway`. tls_cert: PEM, None for plain text; tls_key: None where the certificate's file holds it. upstream_ca: PEM
    of an authority that upstreams are trusted by, beside the system's. figures: folder in which `workers` share theirs,
    None for a worker alone. drain_s: how long requests under way may take after SIGTERM.
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
    override_key: str = ""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    proxy_protocol: bool = False
    upstream_ca: Path | None = None
    ask_usage: bool = True
    figures: Path | None = None
    workers: int = 1
    drain_s: float = 30.0
    limits: Limits = field(default_factory=Limits)

    def certificate(self) -> Certificate | None:
        """Load what clients are shown; None for plain text.

        Raises:
            InputError: a file cannot be read or used.
        """
        return Certificate(self.tls_cert, self.tls_key) if self.tls_cert is not None else None

    def upstream_tls(self) -> SSLContext | None:
        """Load what upstreams are checked by; None for the system's authorities alone.

        Raises:
            InputError: the file cannot be read or used.
        """
        return trusting(self.upstream_ca) if self.upstream_ca is not None else None

    def check(self) -> None:
        """Try what workers will need, before any is started.

        Raises:
            InputError: the override key, the certificate or the CA cannot be used.
        """
        Overrides(self.override_key)
        self.certificate()
        self.upstream_tls()


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
    gc.set_threshold(*_GARBAGE)
    certificate = role.certificate()
    with ExitStack() as stack:
        gateway = _assemble(role, number, stack, certificate)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(gateway, role, certificate))


def _assemble(role: Role, number: int, stack: ExitStack, certificate: Certificate | None) -> Gateway:
    takers = []
    if role.record is not None:
        from gatekeeper.gateway.record import SampleFile  # noqa: PLC0415 - scorers are loaded only where they score

        samples = SampleFile(role.record)
        stack.callback(samples.close)
        takers.append(samples.take)
    if not role.api_url:
        feed = SplitFeed(initial=[role.split] if role.split is not None else [])
        catch_all = role.split.service if role.split is not None else None
        return _gateway(role, number, certificate, feed, takers, catch_all=catch_all)
    feed = SplitFeed(
        role.data_dir / f"last-good-split-{number}.json", initial=[role.split] if role.split is not None else []
    )
    spool = DiskSpool(role.data_dir / f"gateway-spool-{number}")
    reader, name = SpoolReader(spool.directory, spool.marks), f"{role.gateway_id}-{number}"
    shipper = Shipper(reader, api_url=role.api_url, api_key=role.api_key, gateway_id=name)
    poller = HttpSplitFeed(feed, api_url=role.api_url, api_key=role.api_key, gateway_id=name)
    poller.start()
    shipper.start()
    stack.callback(shipper.stop)
    stack.callback(spool.close)
    stack.callback(poller.stop)
    return _gateway(role, number, certificate, feed, takers, spool=spool, carrier=shipper)


def _gateway(
    role: Role,
    number: int,
    certificate: Certificate | None,
    feed: SplitFeed,
    takers: Sequence[Callable[[Exchange], object]],
    *,
    spool: DiskSpool | None = None,
    catch_all: str | None = None,
    carrier: Carrier | None = None,
) -> Gateway:
    return Gateway(
        feed,
        spool,
        role.limits,
        catch_all=catch_all,
        show_release=role.show_release,
        override_key=role.override_key,
        door=Door(tls=certificate.context if certificate is not None else None, proxy_protocol=role.proxy_protocol),
        upstream_tls=role.upstream_tls(),
        ask_usage=role.ask_usage,
        figures=Figures(role.figures, number, role.workers) if role.figures is not None else None,
        takers=takers,
        carrier=carrier,
    )


async def _serve(gateway: Gateway, role: Role, certificate: Certificate | None) -> None:
    ending = asyncio.Event()
    for ended_by in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(ended_by, ending.set)
    if certificate is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, certificate)
    await gateway.start(role.host, role.port, reuse_port=True)
    gc.collect()
    gc.freeze()
    log.info("serving on %s:%d", role.host, gateway.port)
    await ending.wait()
    await gateway.drain(role.drain_s)


def _reload(certificate: Certificate) -> None:
    """Take a renewed certificate; a faulty one is told, and the old one stays."""
    try:
        certificate.reload()
    except InputError as exc:
        log.error("the certificate in use stays: %s", exc)  # noqa: TRY400 - the message says it all
