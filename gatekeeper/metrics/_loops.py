"""How much a text goes round in circles: repeated word groups, a tail that repeats itself, how far it packs."""

from __future__ import annotations

import zlib

from gatekeeper.metrics._words import vocabulary, words

GRAM_WORDS = 4
MIN_GRAMS = 16  # shorter answers repeat themselves by chance
TAIL_CHARS = 200
TAIL_ROUNDS = 4
_PROBE = 12


def repetition(text: str) -> float:
    """Return the share of word 4-grams that stood in the text before; 0 for texts of fewer than 19 words."""
    said = words(text)
    grams = len(said) - GRAM_WORDS + 1
    if grams < MIN_GRAMS:
        return 0.0
    return 1 - len(set(zip(said, said[1:], said[2:], said[3:], strict=False))) / grams


def most_repetition(text: str) -> float:
    """Return a bound that `repetition` cannot exceed, found in a third of the time; 1 for texts of fewer than 19 words.

    Each word that is new begins a 4-gram that is new, but for the last three.
    """
    grams = len(words(text)) - GRAM_WORDS + 1
    return 1 - (len(vocabulary(text)) - GRAM_WORDS + 1) / grams if grams >= MIN_GRAMS else 1.0


def periodic_tail(text: str) -> int:
    """Return how many characters at the text's end repeat one piece at least 4 times; 0: fewer than 200."""
    text = text.rstrip()
    probe = text[-_PROBE:]
    before = text.rfind(probe, 0, len(text) - 1) if len(text) >= TAIL_CHARS else -1
    if before < 0:
        return 0
    period = len(text) - _PROBE - before
    if period * TAIL_ROUNDS > len(text):
        return 0
    length = period
    while text.startswith(text[-period:], len(text) - length - period) and len(text) >= length + period:
        length += period
    return length if length >= max(TAIL_CHARS, TAIL_ROUNDS * period) else 0


def packing(text: str) -> float:
    """Return how many times shorter zlib makes a text: about 2 for prose, over 5 for loops; 1 for an empty one."""
    plain = text.encode(errors="surrogatepass")
    return len(plain) / len(zlib.compress(plain, 1)) if plain else 1.0
