"""The chunked transfer coding of answers, read without a callback for each piece."""

from __future__ import annotations

from functools import lru_cache

_LINE_BYTES = 4096
_SIZE_DIGITS = 15
_HEX = frozenset(b"0123456789abcdefABCDEF")


class BadChunks(ValueError):  # noqa: N818 - it says what they are
    """Say that the bytes are not in the chunked coding."""


class Chunks:
    """Take the bodies' bytes out of the coding, read by read. ended: the last chunk and its trailers were read.

    rest: what came after the end. between: the next byte begins a chunk's size; then a read that is one whole chunk
    (`whole_chunk`) changes nothing here. Extensions and trailers are left out, and bounded.
    """

    __slots__ = ("_left", "_line", "_tail", "between", "ended", "rest")

    def __init__(self) -> None:
        """Begin before the first chunk's size."""
        self._left = 0
        self._line = b""
        self._tail = False
        self.ended = False
        self.between = True
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """Return the body's bytes in a read; they begin where the last read's ended.

        Raises:
            BadChunks: this is not the chunked coding.
        """
        body = self._read(self._line + data)
        self.between = not (self._left or self._line or self._tail)
        return body

    def _read(self, data: bytes) -> bytes:
        """Read on where the last read ended; `_left` counts a chunk's bytes with the CRLF after them."""
        pieces: list[bytes] = []
        at = 0
        self._line = b""
        while at < len(data) and not self.ended:
            if self._left:
                at = self._take(data, at, pieces)
                continue
            stop = data.find(b"\r\n", at)
            if stop < 0 and (len(data) - at > _LINE_BYTES or b"\n" in data[at:]):
                raise BadChunks("a chunk's line does not end in CRLF")
            if stop < 0:
                self._line = data[at:]
                break
            line = data[at:stop]
            at = stop + 2
            if self._tail:
                self.ended = not line
            else:
                size = _size(line.partition(b";")[0].rstrip(b" \t"))
                if size < 0:
                    raise BadChunks(f"{line[:20]!r} is no chunk size")
                self._tail = not size
                self._left = size + 2 if size else 0
        if self.ended:
            self.rest = data[at:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _take(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Take what there is of a chunk and the CRLF after it; return where it ends."""
        stop = min(at + self._left, len(data))
        body = max(0, min(self._left - 2, stop - at))
        if body:
            pieces.append(data[at : at + body])
        after = data[at + body : stop]
        wanted = b"\r\n"[2 - min(2, self._left - body) :]
        if not wanted.startswith(after):
            raise BadChunks("a chunk is longer than its size")
        self._left -= stop - at
        return stop


@lru_cache(4096)
def whole_chunk(size: int) -> tuple[tuple[bytes, ...], int]:
    """Return how a read of so many bytes begins that is one whole chunk and ends in CRLF, and where its content begins.

    No read of some sizes is; and other spellings of a chunk's size (leading zeros, an extension) are not told here.
    """
    for digits in range(1, _SIZE_DIGITS + 1):
        content = size - digits - 4
        if content > 0 and len(f"{content:x}") == digits:
            return (b"%x\r\n" % content, b"%X\r\n" % content), digits + 2
    return (), 0


@lru_cache
def _size(digits: bytes) -> int:
    """Return a chunk's size; -1: it is no hexadecimal number, or too large."""
    return int(digits, 16) if 0 < len(digits) <= _SIZE_DIGITS and _HEX.issuperset(digits) else -1
