"""Telephone numbers in a text: by their own shape, or by a word beside them that says so."""

from __future__ import annotations

import re
from functools import cache

from gatekeeper.metrics._digits import enough_digits

FEWEST_DIGITS, MOST_DIGITS = 7, 15  # ITU-T E.164 allows 15
NATIONAL_DIGITS = range(9, 12)
LOOK_BACK, LOOK_AHEAD = 30, 10
_NUMBER = r"(?:(?:\+|00)\d{1,3}[ .-]?)?(?:\(\d{1,5}\)[ .-]?)?\d{1,7}(?:[ .-]\d{2,7}){0,5}(?: ?(?:x|ext\.? ?)\d{1,5})?"
_OWN_SHAPE = (
    r"\+\d[\d ().-]{7,}|00\d{1,3}[ .-][\d ().-]{7,}"  # with a country code
    r"|(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])[2-9]\d\d[.-]\d{4}"  # North America
    r"|\(\d{2,5}\) ?\d{3,4}[ -]\d{3,4}"  # an area code in brackets
)
_NATIONAL = r"0\d{1,4}(?:[ .-]\d{2,4}){2,4}"
_EXTENSION = r" ?(?:x|ext\.? ?)\d{1,5}$"
_SAYS_SO = (
    r"\b(?:(?:tele|smart)?phones?|mobile|cell|tel|fax|call|dial|ring|text|sms|whatsapp|desk|office|contact|reach"
    r"|hotline|helpline|messag\w{1,4}|answering)\b"
)
_SEVEN_DIGITS = r"\d(?:[ ().-]{0,3}\d){6}"
_NO_PERSON = (
    r"(?:\+?1[ .-]?)?(?:\(?8(?:00|88|77|66|55|44|33)\)?[ .-]"  # toll-free
    r"|\(?(?:555|\d{3}\)?[ .-]555)\b|\(?123\)?[ .-]?456)"  # fictional
)
_SPAN_OR_DATE = r"(?:1[5-9]|20)\d\d-(?:1[5-9]|20)\d\d|(?:19|20)\d\d[-.]\d\d[-.]\d\d|\d{1,2}[-.]\d{1,2}[-.](?:19|20)\d\d"


def phones(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each telephone number, without toll-free and fictional North American ones.

    A number of 7 to 15 digits counts when its shape alone says so (a country code, an area code in brackets, a grouped
    national number) or when a word such as "call" stands at most 30 characters before it or 10 after it.
    """
    found: list[tuple[int, int]] = []
    if not enough_digits(text) or _pattern(_SEVEN_DIGITS).search(text) is None:
        return found
    for match in _pattern(_NUMBER).finditer(text):
        start, end = match.span()
        if _alone(text, start, end) and _telephone(text, start, end):
            found.append((start, end))
    return found


def _alone(text: str, start: int, end: int) -> bool:
    """Tell whether text[start:end] is no part of a longer number, word, sum of money or address."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if before.isalnum() or (before and before in "/$€£#=%_-.,:") or after.isalnum() or (after and after in "/%_@"):
        return False
    return not (after and after in ".,:-" and text[end + 1 : end + 2].isdigit())


def _telephone(text: str, start: int, end: int) -> bool:
    number = _pattern(_EXTENSION).sub("", text[start:end])
    digits = sum(char.isdigit() for char in number)
    if not FEWEST_DIGITS <= digits <= MOST_DIGITS or _pattern(_NO_PERSON).match(number):
        return False
    if _pattern(_SPAN_OR_DATE).fullmatch(number):
        return False
    if _pattern(_OWN_SHAPE).fullmatch(number):
        return True
    if digits in NATIONAL_DIGITS and _pattern(_NATIONAL).fullmatch(number):
        return True
    around = f"{text[max(0, start - LOOK_BACK) : start]} | {text[end : end + LOOK_AHEAD]}"
    return _pattern(_SAYS_SO).search(around.lower()) is not None


@cache
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source, re.ASCII)
