"""Which addresses a webhook may reach: public ones only, checked after the name is resolved and then pinned."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import SplitResult, urlsplit

from gatekeeper.errors import InputError, WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments, 192.0.0.192 (a cloud's metadata) among them
        "192.88.99.0/24",  # 6to4 relays
        "168.63.129.16/32",  # a cloud's host agent
        "100.64.0.0/10",  # shared, behind a carrier's translation
        "::/96",  # IPv4-compatible
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fec0::/10",  # site-local
    )
)


def is_public(text: str) -> bool:
    """Tell whether an address may be called: global, unicast, and no tunnel into a private network."""
    address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _NOT_PUBLIC if network.version == address.version)


def check_url(url: str, *, allow_private: bool) -> SplitResult:
    """Return the parts of a URL that a webhook may have, before its name is resolved.

    Raises:
        InputError: not https (http only with `allow_private`), no host, a user in it, or a port that is none.
    """
    wanted = ("https", "http") if allow_private else ("https",)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise InputError(f"url: {url!r} is no URL: {exc}") from exc
    if parts.scheme not in wanted:
        raise InputError(
            f"url: {url!r} is not {' or '.join(wanted)}; http and private addresses need "
            "GATEKEEPER_WEBHOOK_ALLOW_PRIVATE=1"
        )
    if not parts.hostname or parts.username is not None or parts.password is not None or port == 0:
        raise InputError(f"url: a host without user and password is expected, as in https://host/path, not {url!r}")
    return parts


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Return the addresses of a host, as the system resolves it.

    Raises:
        WorldError: the name does not resolve now.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise WorldError(f"host {host!r} does not resolve: {exc}") from exc
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def pin(host: str, port: int, resolver: Resolver, *, allow_private: bool) -> str:
    """Return the one address to call for a host.

    Raises:
        WorldError: it does not resolve, or any of its addresses is not public and `allow_private` is off.
    """
    addresses = resolver(host, port)
    if not addresses:
        raise WorldError(f"host {host!r} has no address")
    private = [address for address in addresses if not is_public(address)]
    if private and not allow_private:
        raise WorldError(f"host {host!r} resolves to {private[0]}, which is not a public address: refused")
    return addresses[0]
