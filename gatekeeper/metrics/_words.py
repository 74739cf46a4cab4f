"""A text's words, small and without marks, for whoever counts words."""

from __future__ import annotations

from functools import lru_cache


def _table() -> bytes:
    """Return what each byte becomes: capitals small, ASCII marks blank, everything else itself."""
    chars = (chr(code) for code in range(128))
    ascii_part = "".join(char.lower() if char.isalnum() else " " for char in chars)
    return ascii_part.encode() + bytes(range(128, 256))


_TABLE = _table()


@lru_cache(maxsize=4)
def words(text: str) -> tuple[bytes, ...]:
    """Return a text's words as UTF-8, in order. The last few texts are remembered: several scorers ask for the same."""
    return tuple(text.encode(errors="surrogatepass").translate(_TABLE).split())


@lru_cache(maxsize=4)
def vocabulary(text: str) -> frozenset[bytes]:
    """Return each word of a text once; the last few texts are remembered."""
    return frozenset(words(text))
