"""Captures as bytes, on disk and on the wire: each a frame, its length (32 bits, big-endian) and a MessagePack array.

The array holds the fields of `RawExchange` in their order; a reader ignores what it does not know at its end.
"""

from __future__ import annotations

from math import isfinite
from struct import Struct, error
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gatekeeper.captures.raw import RawExchange
from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MEDIA_TYPE: Final = "application/vnd.gatekeeper.captures"
HEAD_BYTES: Final = 4
_encode: Final = msgspec.msgpack.Encoder().encode
_LENGTH: Final = Struct(">I")
_decode: Final = msgspec.msgpack.Decoder(RawExchange).decode


def frame_of(capture: RawExchange | tuple[Any, ...], name: str) -> bytes:
    """Return a capture as a frame. capture: or its fields, in their order. name: for the error.

    Raises:
        ValueError: it holds what MessagePack cannot.
    """
    try:
        data = _encode(capture)
        return _LENGTH.pack(len(data)) + data
    except (TypeError, ValueError, OverflowError, error) as exc:
        raise ValueError(f"capture {name!r}: {exc}") from exc


def frames_of(captures: Iterable[RawExchange]) -> bytes:
    """Return captures as frames.

    Raises:
        ValueError: one holds what MessagePack cannot.
    """
    return b"".join([frame_of(raw, raw.id) for raw in captures])


def ends(data: bytes, most: int) -> list[int]:
    """Return the offsets after each whole frame that `data` begins with, up to so many."""
    found: list[int] = []
    end, last = 0, len(data) - HEAD_BYTES
    length_at = _LENGTH.unpack_from
    while end <= last and len(found) < most:
        end += HEAD_BYTES + length_at(data, end)[0]
        found.append(end)
    if end > len(data):
        found.pop()
    return found


def split_frames(data: bytes | bytearray) -> Iterator[bytes]:
    """Yield the frames that `data` consists of, without their lengths.

    Raises:
        InputError: it ends within a frame.
    """
    at = 0
    while at < len(data):
        start = at + HEAD_BYTES
        end = start + int.from_bytes(data[at:start], "big")
        if end > len(data) or start > len(data):
            raise InputError(f"captures end within a frame, at byte {at} of {len(data)}")
        yield bytes(data[start:end])
        at = end


def read_frame(frame: bytes) -> RawExchange:
    """Return the capture in a frame without its length.

    Raises:
        InputError: it is none.
    """
    try:
        raw = _decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise InputError(f"a frame of {len(frame)} bytes is no capture: {exc}") from exc
    if not all(map(isfinite, (raw.ts, raw.began, raw.ended or 0.0, *raw.times))) or len(raw.times) != len(raw.pieces):
        raise InputError(f"capture {raw.id!r}: every time is a finite number, and every read has one")
    return raw
