"""PROXY headers: read to their last byte and no further, and whatever else is sent is refused."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.gateway.proxy_header import BINARY_MOST, ProxyHeaderError, parse

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
PORTS = st.integers(0, 65_535)
PAIRS = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)), st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6))
)


def read(stream: bytes) -> tuple[str | None, int]:
    """Read as a socket is read; return the peer and how much was taken."""
    taken = 0
    while isinstance(wanted := parse(stream[:taken]), int):
        assert wanted > 0
        if taken == len(stream):
            raise EOFError
        taken = min(taken + wanted, len(stream))
    return wanted, taken


def text(one: object, other: object, ports: tuple[int, int]) -> bytes:
    kind = "TCP4" if isinstance(one, ipaddress.IPv4Address) else "TCP6"
    return f"PROXY {kind} {one} {other} {ports[0]} {ports[1]}\r\n".encode()


def binary(command: int, family: int, rest: bytes, transport: int = 1) -> bytes:
    return SIGNATURE + bytes((0x20 | command, family << 4 | transport)) + len(rest).to_bytes(2, "big") + rest


@given(PAIRS, st.tuples(PORTS, PORTS), st.binary(max_size=40))
def test_a_line_is_read_and_nothing_behind_it(pair: tuple[object, object], ports: tuple[int, int], rest: bytes):
    header = text(*pair, ports)
    assert read(header + rest) == (str(pair[0]), len(header))


@given(PAIRS, st.binary(max_size=300), st.binary(max_size=40))
def test_a_binary_header_is_read_and_nothing_behind_it(
    pair: tuple[ipaddress.IPv4Address, ipaddress.IPv4Address], extensions: bytes, rest: bytes
):
    family = 1 if pair[0].version == 4 else 2
    header = binary(1, family, pair[0].packed + pair[1].packed + b"\x00\x01\x00\x02" + extensions)
    assert read(header + rest) == (str(pair[0]), len(header))


@given(st.binary(max_size=40))
def test_who_has_no_address_is_let_in_without_one(rest: bytes):
    for header in (
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
        binary(0, 0, b""),
        binary(0, 1, b"\x01" * 12),
        binary(1, 0, b"abc"),
        binary(1, 3, bytes(216)),
    ):
        assert read(header + rest) == (None, len(header))


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: b"PROXY " + tail))
def test_anything_else_is_refused(stream: bytes):
    try:
        _, taken = read(stream)
    except (ProxyHeaderError, EOFError):
        return
    assert stream[:taken].startswith((b"PROXY ", SIGNATURE))


@given(st.binary(max_size=60).map(lambda tail: SIGNATURE + tail))
def test_a_binary_beginning_is_bounded(stream: bytes):
    try:
        wanted = parse(stream)
    except ProxyHeaderError:
        return
    assert not isinstance(wanted, int) or wanted <= BINARY_MOST


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdefgh",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n" + b"x" * 90,
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
        b"PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n",
        b"PROXY TCP4 1.2.3.400 5.6.7.8 1 2\r\n",
        b"PROXY TCP4 ::1 ::2 10000 20000\r\n",
        b"PROXY TCP6 fe80::1%eth0 ::2 10000 20000\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
        b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n",
        b"PROXY UDP4 1.2.3.4 5.6.7.8 100 200\r\n",
        SIGNATURE + b"\x11\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x22\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x41\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x13\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x11\x00\x0b" + bytes(11),
        SIGNATURE + b"\x21\x11\xff\xff" + bytes(12),
    ],
)
def test_faulty_headers_are_refused(stream: bytes):
    with pytest.raises(ProxyHeaderError):
        read(stream)
