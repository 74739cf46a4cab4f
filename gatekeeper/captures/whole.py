"""Frames of answers that came in one read: most are such, and most of what is recorded of them is always the same.

What exchanges of a kind share is encoded once; what is each one's own is put between, in the order of `RawExchange`.
A reader finds what `frames.frame_of` would have written.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

_encode: Final = msgspec.msgpack.Encoder().encode
_FIELDS: Final = b"\xdc\x00\x1b"
_STR8: Final = 0xD9
_BIN16: Final = 0xC5
_FLOAT: Final = 0xCB
_ONE: Final = 0x91
_NO: Final = 0xC2
_NIL: Final = 0xC0
_NIL_BYTE: Final = b"\xc0"
_start: Final = Struct(">I3sBB").pack
_float: Final = Struct(">Bd").pack
_bytes: Final = Struct(">BH").pack
_pieces: Final = Struct(">BBH").pack
_ended: Final = Struct(">BBdBBdBd3B").pack
_FIXED_BYTES: Final = 5 + 9 + 3 + 4 + 32
_LONGEST_ID: Final = 0xFF
_LONGEST: Final = 0xFFFF


class Kind:
    """Hold what exchanges share, in MessagePack: the fields arm to epoch, cluster_id to path, and the prices."""

    __slots__ = ("place", "prices", "told")

    def __init__(self, place: bytes, told: bytes, prices: bytes) -> None:
        """Keep the parts."""
        self.place = place
        self.told = told
        self.prices = prices


def fields_of(values: Iterable[Any]) -> bytes:
    """Return values one behind the other.

    Raises:
        ValueError: MessagePack cannot hold one.
    """
    try:
        return b"".join(map(_encode, values))
    except (TypeError, OverflowError) as exc:
        raise ValueError(str(exc)) from exc


def kind_of(place: Iterable[Any], told: Iterable[Any], prices: Iterable[float]) -> Kind | None:
    """Return what exchanges share; None: MessagePack cannot hold it."""
    try:
        return Kind(fields_of(place), fields_of(told), fields_of(prices))
    except ValueError:
        return None


def whole_frame(
    kind: Kind,
    exchange_id: str,
    ts: float,
    pair_id: str | None,
    request: bytes,
    head: bytes,
    answer: bytes,
    came: float,
    began: float,
    ended: float,
) -> bytes | None:
    """Return the frame of an exchange that went well; None: it is not short enough. head: status to coding."""
    own_id = exchange_id.encode()
    paired = _NIL_BYTE if pair_id is None else _encode(pair_id)
    if len(own_id) > _LONGEST_ID or len(request) > _LONGEST or len(answer) > _LONGEST:
        return None
    size = _FIXED_BYTES + len(own_id) + len(kind.place) + len(paired) + len(kind.told) + len(request)
    size += len(head) + len(answer) + len(kind.prices)
    return b"%b%b%b%b%b%b%b%b%b%b%b%b%b" % (
        _start(size, _FIELDS, _STR8, len(own_id)),
        own_id,
        _float(_FLOAT, ts),
        kind.place,
        paired,
        kind.told,
        _bytes(_BIN16, len(request)),
        request,
        head,
        _pieces(_ONE, _BIN16, len(answer)),
        answer,
        _ended(_ONE, _FLOAT, came, _NO, _FLOAT, began, _FLOAT, ended, _NO, _NO, _NIL),
        kind.prices,
    )
