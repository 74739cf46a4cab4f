"""Heads that were read before: a client or a server sends the same one again and again, but for a few values.

A head is found by its bytes without the digits of its Content-Length and without its x-request-id. What a full parse
made of one such head holds for every other: the two values left out are looked at each time, and are plain.
"""

from __future__ import annotations

import re
from typing import Final, Generic, NamedTuple, TypeVar

H = TypeVar("H")
END: Final = b"\r\n\r\n"
_LENGTHS: Final = (b"\r\nContent-Length: ", b"\r\ncontent-length: ")
_IDS: Final = (b"\r\nx-request-id: ", b"\r\nX-Request-Id: ", b"\r\nX-Request-ID: ")
_PLAIN_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_LENGTH_DIGITS: Final = 10
_HEAD_BYTES: Final = 4096


class Cut(NamedTuple):
    """Hold what a head says beside what is remembered of it. key: what it is found by. end: offset of its body.

    length: its Content-Length, None without one. sent_id: its x-request-id, None without one.
    """

    key: bytes
    end: int
    length: int | None
    sent_id: bytes | None


class Again(Generic[H]):
    """Find the head that a connection brought last, with another length: most bring nothing else.

    It finds what `Heads.find` would: all bytes but the digits of the one length are the same. length: that the head
    which was matched last says, None without one.
    """

    __slots__ = ("_after", "_before", "_end", "_size", "_whole", "_whole_length", "head", "length")

    def __init__(self, data: bytes, cut: Cut, head: H) -> None:
        """Keep the head that `data` begins with, which was read as `head`; it holds no x-request-id."""
        self.head = head
        self.length = cut.length
        self._end = cut.end
        self._before = data[: cut.end]
        self._after: bytes | None = None
        if cut.length is not None:
            at = next(at + len(name) for name in _LENGTHS if (at := data.find(name, 0, cut.end)) >= 0)
            self._before = data[:at]
            self._after = data[data.find(b"\r\n", at) : cut.end]
        self._size = len(self._before)
        self._whole, self._whole_length = b"", -1

    def match(self, data: bytes) -> int:
        """Return the offset of the body, -1 when this is another head; `length` is then what this head says."""
        end, after = self._end, self._after
        if after is None:
            return end if data.startswith(self._before) else -1
        length = len(data) - end
        if length != self._whole_length:
            self._whole = b"%b%d%b" % (self._before, length, after)
            self._whole_length = length
        if data.startswith(self._whole) and len(self._whole) == end:
            self.length = length
            return end
        return self._look(data, after)

    def _look(self, data: bytes, after: bytes) -> int:
        """Match a head whose body is not just the rest, or whose length has more digits or fewer than the last had."""
        if not data.startswith(self._before):
            return -1
        start = self._size
        stop = data.find(b"\r\n", start, start + _LENGTH_DIGITS + 2)
        if not data.startswith(after, stop):
            return -1
        digits = data[start:stop]
        if not digits.isdigit():
            return -1
        self.length = int(digits)
        self._end = stop + len(after)
        return self._end


class Heads(Generic[H]):
    """Remember what heads were read as; bounded, and emptied when full."""

    def __init__(self, bound: int = 1024) -> None:
        """Know none; bound: how many are remembered."""
        self._bound = bound
        self._known: dict[bytes, H] = {}

    def forget(self) -> None:
        """Know none again."""
        self._known = {}

    def find(self, data: bytes) -> tuple[H | None, Cut | None]:
        """Read the head that `data` begins with: what it was read as before, and how this one is cut.

        No cut: it is not whole, or not plain enough to be remembered. No head: it is not known.
        """
        end = data.find(END)
        if end < 0 or end > _HEAD_BYTES:
            return None, None
        key = data[: end + 2]
        length = None
        for name in _LENGTHS:
            at = key.find(name)
            if at >= 0:
                at += len(name)
                stop = key.find(b"\r\n", at)
                digits = key[at:stop]
                if not digits.isdigit() or len(digits) > _LENGTH_DIGITS:
                    return None, None
                length = int(digits)
                key = key[:at] + key[stop:]
                break
        known = self._known.get(key)
        if known is not None:
            return known, Cut(key, end + 4, length, None)
        for name in _IDS:
            at = key.find(name)
            if at >= 0:
                at += len(name)
                stop = key.find(b"\r\n", at)
                sent_id = key[at:stop]
                if _PLAIN_ID.fullmatch(sent_id) is None:
                    return None, None
                key = key[:at] + key[stop:]
                return self._known.get(key), Cut(key, end + 4, length, sent_id)
        return None, Cut(key, end + 4, length, None)

    def learn(self, key: bytes, head: H) -> None:
        """Remember what a head was read as."""
        if len(self._known) >= self._bound:
            self._known.clear()
        self._known[key] = head
