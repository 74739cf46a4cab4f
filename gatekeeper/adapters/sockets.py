"""Ports of this host."""

from __future__ import annotations

import socket


def free_port(host: str) -> int:
    """Ask the system for a TCP port of this address that nobody holds now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
