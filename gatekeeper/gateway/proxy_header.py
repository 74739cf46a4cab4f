"""The PROXY protocol's header, versions 1 and 2: who the client behind a load balancer is.

Source: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

from __future__ import annotations

import ipaddress

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_TEXT = b"PROXY "
_FIRST = len(_SIGNATURE)
_FIXED = _FIRST + 4
_TEXT_MOST = 107
_LEAST = {b"TCP4": len("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), b"TCP6": len("PROXY TCP6 :: :: 0 0\r\n")}
BINARY_MOST = 4096
"""Most bytes of addresses and extensions after a version 2 header's fixed part; the protocol allows 65,535."""

_ADDRESS_BYTES = {1: 4, 2: 16}
_PAIRS = {1: 12, 2: 36, 3: 216}
"""Bytes of both addresses (and ports) by family: IPv4, IPv6, Unix."""


class ProxyHeaderError(Exception):
    """Say that a connection does not begin with a PROXY header."""


def parse(data: bytes) -> str | int | None:
    """Read the header's beginning as far as it is there.

    Returns the client's address; None where the balancer speaks for itself or the client has no address; or, as an
    int, how many more bytes are part of the header for sure: so that nothing behind it is ever read.

    Raises:
        ProxyHeaderError: it is none.
    """
    if not (_SIGNATURE.startswith(data[:_FIRST]) or data[: len(_TEXT)] == _TEXT[: len(data)]):
        raise ProxyHeaderError("the connection does not begin with a PROXY header")
    if len(data) < _FIRST:
        return _FIRST - len(data)
    return _binary(data) if data.startswith(_SIGNATURE) else _text(data)


def _text(data: bytes) -> str | int | None:
    if not data.endswith(b"\r\n"):
        if b"\n" in data or len(data) >= _TEXT_MOST:
            raise ProxyHeaderError("the PROXY line does not end as it must, or in time")
        kind = data[len(_TEXT) : len(_TEXT) + 4]
        return max(_LEAST.get(kind, 0) - len(data), 1 if data.endswith(b"\r") else 2)
    if len(data) > _TEXT_MOST:
        raise ProxyHeaderError("the PROXY line is too long")
    words = data[:-2].split(b" ")
    if words[1] == b"UNKNOWN":
        return None
    if len(words) != 6 or words[1] not in _LEAST or not all(map(_is_port, words[4:])):  # noqa: PLR2004 - the line's words
        raise ProxyHeaderError("the PROXY line has not the words it must have")
    version = 4 if words[1] == b"TCP4" else 6
    addresses = [_address(word, version) for word in words[2:4]]
    return addresses[0]


def _address(word: bytes, version: int) -> str:
    try:
        address = ipaddress.ip_address(word.decode("ascii"))
    except ValueError as exc:
        raise ProxyHeaderError("the PROXY line holds no address") from exc
    if address.version != version or "%" in str(address):
        raise ProxyHeaderError("the PROXY line holds an address of another family")
    return str(address)


def _is_port(word: bytes) -> bool:
    return word.isdigit() and str(int(word)).encode() == word and int(word) < 1 << 16


def _binary(data: bytes) -> str | int | None:
    if len(data) < _FIXED:
        return _FIXED - len(data)
    version, command = data[12] >> 4, data[12] & 0xF
    family, transport = data[13] >> 4, data[13] & 0xF
    length = int.from_bytes(data[14:16], "big")
    if version != 2 or command > 1 or family > max(_PAIRS) or transport > 2:  # noqa: PLR2004 - the protocol's codes
        raise ProxyHeaderError("the PROXY header has a version, command or family that there is not")
    if length > BINARY_MOST or length < (_PAIRS.get(family, 0) if command else 0):
        raise ProxyHeaderError(f"the PROXY header says that {length} bytes follow, which is too many or too few")
    if len(data) < _FIXED + length:
        return _FIXED + length - len(data)
    size = _ADDRESS_BYTES.get(family)
    if command == 0 or size is None:
        return None
    return str(ipaddress.ip_address(data[_FIXED : _FIXED + size]))
