"""What an answer states that can be looked up word for word: quotations, numbers and names; and whether it is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST_QUOTE_WORDS = 3
MOST_CHARS = 100_000
_QUOTE = re.compile(r"[\"“«]([^\"“”«»\n]{8,400})[\"”»]")
_NUMBER = re.compile(
    r"(?<![\w.,-])\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,10})?(?![\w,]*\d)|(?<![\w.,])\d{1,18}(?:\.\d{1,10})?(?!\w)"
)
_CAPITAL = r"[^\W\d_a-zß-ÿ][^\W\d_]{1,30}"
_NAME = re.compile(rf"\b{_CAPITAL}(?:[ -](?:of |de |van |von |the )?{_CAPITAL}){{1,4}}")
_WORD = re.compile(r"\w+")
_OPENERS = (
    "the a an in on at for to from by with and but or if as it this that these those his her their its our your my he"
    " she they we you i however according while when where what who which after before since during although because"
    " yes no also both each mr mrs ms dr there here then so not"
)
_OPENING = frozenset(_OPENERS.split())


class Grounds:
    """Hold what an answer may rest on: the context it was given, and the question."""

    def __init__(self, text: str) -> None:
        """Read the text once, at most 100,000 characters: its words in order, its words as a set, its numbers."""
        text = text[:MOST_CHARS]
        said = _WORD.findall(text.lower())
        self._line = f" {' '.join(said)} "
        self._words = frozenset(said)
        self._numbers = frozenset(_amount(number) for number in _NUMBER.findall(text))

    def quotes(self, text: str) -> bool:
        """Tell whether this stands here word for word; case, blanks and marks aside."""
        return f" {' '.join(_WORD.findall(text.lower()))} " in self._line

    def counts(self, number: str) -> bool:
        """Tell whether this number stands here, however it is written: 1,200.50 is 1200.5."""
        return _amount(number) in self._numbers

    def names(self, name: str) -> bool:
        """Tell whether all words of this name stand here, or all but an opening "The"."""
        return self._words.issuperset(_named(name))


def claims(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of what can be looked up: quote, number, name.

    A quote has 3 words or more, a number 2 digits or more (single digits number lists), a name 2 capitalised words or
    more, an opening word of the sentence aside.
    """
    text = text[:MOST_CHARS]
    for match in _QUOTE.finditer(text):
        if len(match[1].split()) >= SHORTEST_QUOTE_WORDS:
            yield "quote", match.start(1), match.end(1)
    for match in _NUMBER.finditer(text):
        if sum(char.isdigit() for char in match.group()) > 1:
            yield "number", *match.span()
    for match in _NAME.finditer(text):
        if len(_named(match.group())) > 1:
            yield "name", *match.span()


def _named(name: str) -> list[str]:
    """Return a name's words, without those that only open a sentence."""
    said = _WORD.findall(name.lower())
    return said[1:] if said and said[0] in _OPENING else said


def _amount(number: str) -> str:
    plain = number.replace(",", "")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return plain.lstrip("0") or "0"
