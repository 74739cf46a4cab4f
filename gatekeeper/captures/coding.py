"""Content codings: what was measured in the compressed bytes of an answer, told in its plain ones."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAIN_BYTES = 64 << 20
"""A body that unpacks to more is not read: a few kilobytes can hold gigabytes."""

_AUTO_WBITS = 47
"""zlib's window bits for 'gzip or zlib, whichever it is'."""

_CODINGS = ("gzip", "x-gzip", "deflate")
KNOWN = ("", "identity", *_CODINGS)
"""Content codings that are read here."""


def unpack(
    coding: str,
    pieces: Sequence[bytes],
    marks: Sequence[tuple[float, int]],
    *,
    cut: bool = False,
    most: int = PLAIN_BYTES,
) -> tuple[bytes, Sequence[tuple[float, int]]] | None:
    """Return the body without its content coding, and the marks in it; None when it cannot be read here.

    coding: the Content-Encoding header, lower case. cut: the pieces are only the body's beginning. None for a coding
    other than gzip and deflate, for several on top of each other, and for more than
    `most` bytes.

    Raises:
        zlib.error: the bytes are not in the coding that the header names, or end too early.
    """
    if coding in ("", "identity"):
        return b"".join(pieces), marks
    if coding not in _CODINGS:
        return None
    try:
        return _inflate(pieces, marks, _AUTO_WBITS, most, cut=cut)
    except zlib.error:
        if coding != "deflate":
            raise
    return _inflate(pieces, marks, -zlib.MAX_WBITS, most, cut=cut)  # without zlib's envelope, as some servers send it


def _inflate(
    pieces: Sequence[bytes], marks: Sequence[tuple[float, int]], wbits: int, most: int, *, cut: bool
) -> tuple[bytes, Sequence[tuple[float, int]]] | None:
    """Unpack piece by piece; several gzip members in a row are one body.

    Raises:
        zlib.error: the bytes are not in this coding, or end too early.
    """
    member = zlib.decompressobj(wbits)
    plain = bytearray()
    found: list[tuple[float, int]] = []
    fresh = True
    for piece, (at, _) in zip(pieces, marks, strict=True):
        data = piece
        while data:
            if member.eof:
                member, fresh = zlib.decompressobj(wbits), True
            plain += member.decompress(data, most - len(plain) + 1)
            if len(plain) > most:
                return None
            fresh = False
            data = member.unused_data
        found.append((at, len(plain)))
    if not (member.eof or fresh or cut):
        raise zlib.error("it ends in the middle")
    return bytes(plain), found
