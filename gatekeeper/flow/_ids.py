"""Ids of any length become numbers, the same ones from every origin: 63 bits, so that two of a million never meet."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NONE = -1
"""The code of a row without an id."""

LONGEST = 256
"""Bytes of an id that are mixed word by word; a longer one is digested by itself."""

WORD = 8
"""Bytes that are mixed, or compared, together."""

AT_ONCE = 1 << 14
"""Texts of one length that are mixed together: what comes of them stays in the processor's cache."""

_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def id_codes(ids: Sequence[Any]) -> NDArray[np.int64]:
    """Return a code >= 0 for each id (a string, or a number written as one), NONE for None and nan."""
    n = len(ids)
    if ids.count(None) == n:
        return np.full(n, NONE, np.int64)
    missing: list[bool] = []
    try:
        texts, whole = ids, "".join(ids)
    except TypeError:
        missing = [one is None or one != one for one in ids]  # noqa: PLR0124 - nan
        texts = ["" if no else str(one) for one, no in zip(ids, missing, strict=True)]
        whole = "".join(texts)
    if not whole.isascii():
        parts = [text.encode("utf-8", "surrogatepass") for text in texts]
        codes = text_codes(np.frombuffer(b"".join(parts), np.uint8), _ends(parts))
    else:
        codes = text_codes(np.frombuffer(whole.encode(), np.uint8), _ends(texts))
    if missing:
        codes[missing] = NONE
    return codes


def _ends(texts: Sequence[Any]) -> NDArray[np.int64]:
    """Return where each text begins, and at last where the last one ends, shape (n + 1,)."""
    ends = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)), out=ends[1:])
    return ends


def text_codes(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a code for each text; data: all their bytes; ends: where each begins and the last ends, shape (n + 1,)."""
    starts, lengths = ends[:-1], np.diff(ends)
    if len(lengths) and bool(np.all(lengths == lengths[0])) and lengths[0] <= LONGEST:
        return _mixed(data[ends[0] : ends[-1]].reshape(len(lengths), -1))
    codes = np.empty(len(lengths), np.int64)
    order = np.argsort(lengths, kind="stable")
    cuts = np.flatnonzero(np.diff(lengths[order])) + 1
    for rows in np.split(order, cuts):
        if not len(rows):
            continue
        length = int(lengths[rows[0]])
        if length > LONGEST:
            codes[rows] = [_digest(data[at : at + length].tobytes()) for at in starts[rows]]
        else:
            codes[rows] = _mixed(data[starts[rows][:, None] + np.arange(length)])
    return codes


def increase(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> bool:
    """Tell whether each text comes after the one before it, so that none comes twice; shown of one length alone.

    Of texts in no order that is known after the first few; data, ends: as `text_codes` has them.
    """
    lengths = np.diff(ends)
    length = int(lengths[0]) if len(lengths) else 0
    if length < WORD or not bool(np.all(lengths == length)):
        return False
    return all(
        _increase_at_once(data[ends[row] : ends[min(row + AT_ONCE, len(lengths) - 1) + 1]], length)
        for row in range(0, len(lengths) - 1, AT_ONCE)
    )


def _increase_at_once(data: NDArray[np.uint8], length: int) -> bool:
    """Compare texts by words of eight bytes from the first on; the last word may begin in the one before it."""
    n = len(data) // length
    after = np.zeros(n - 1, np.bool_)
    for at in (length - WORD, *range((length - 1) // WORD * WORD - WORD, -1, -WORD)):
        word = np.ndarray((n,), ">u8", data, at, (length,)).astype(np.uint64)
        after &= word[1:] == word[:-1]
        after |= word[1:] > word[:-1]
    return bool(after.all())


def _mixed(texts: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the codes of texts of one length, shape (n, length), some at a time."""
    if len(texts) <= AT_ONCE:
        return _mixed_at_once(texts)
    return np.concatenate([_mixed_at_once(texts[row : row + AT_ONCE]) for row in range(0, len(texts), AT_ONCE)])


def _mixed_at_once(texts: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Mix words of eight bytes as SplitMix64 does (Steele et al. 2014)."""
    n, length = texts.shape
    padded = np.zeros((n, -(-length // 8) * 8), np.uint8)
    padded[:, :length] = texts
    words = padded.view("<u8")
    codes = np.full(n, length + 1, np.uint64)
    for word in range(words.shape[1]):
        codes ^= words[:, word]
        codes *= _MULTIPLIERS[0]
        codes ^= codes >> _SHIFTS[0]
        codes *= _MULTIPLIERS[1]
        codes ^= codes >> _SHIFTS[1]
    codes *= _MULTIPLIERS[0]
    codes ^= codes >> _SHIFTS[2]
    return (codes >> np.uint64(1)).astype(np.int64)


def _digest(text: bytes) -> int:
    """Return a long text's code."""
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little") >> 1
