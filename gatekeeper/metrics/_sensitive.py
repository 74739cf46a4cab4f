"""Personal data and secrets in a text: patterns, and the check digits that tell them from other numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

CARD_DIGITS = range(13, 20)
SHORT_CARD_DIGITS = 12
_CARD_STARTS = ("1800", "2", "3", "4", "5", "6")
_SHORT_CARD_STARTS = ("50", "56", "57", "58", "6")
_RESERVED = re.compile(r"@(?:[\w-]+\.)*(?:example\.(?:com|org|net|edu)|example|invalid|test|localhost)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sensitive:
    """Hold what kind of datum stands where: text[start:end]."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """Describe a kind: one of its hints must stand in the text before its pattern is tried.

    pattern: starts with plain characters and has finite bounds, so that a hostile text costs linear time.
    edge: characters that may not stand beside a match. real: tells data from look-alikes.
    """

    name: str
    hints: tuple[str, ...]
    pattern: str
    edge: str
    real: Callable[[str], bool]


def find(text: str) -> list[Sensitive]:
    """Return personal data and secrets in a text, by kind; addresses reserved for examples are none."""
    found = []
    for kind, pattern in _kinds():
        if kind.hints and not any(hint in text for hint in kind.hints):
            continue
        for match in pattern.finditer(text):
            start, end = match.span()
            if _free(text, start, end, kind.edge) and kind.real(match.group()):
                found.append(Sensitive(kind.name, start, end))
    return found


def _free(text: str, start: int, end: int, edge: str) -> bool:
    """Tell whether neither neighbour of text[start:end] is a letter, a digit or one of `edge`."""
    beside = text[start - 1 : start] + text[end : end + 1]
    return not any(char.isalnum() or char in edge for char in beside)


def _any(_found: str) -> bool:
    return True


def _real_address(found: str) -> bool:
    return _RESERVED.search(found) is None


def _real_ssn(found: str) -> bool:
    """Refuse numbers that were never issued."""
    area, group, serial = found.split("-")
    return area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000"


def _luhn(found: str) -> bool:
    digits = [int(char) for char in found if char.isdigit()]
    summed = sum(
        digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits))
    )
    long = len(digits) in CARD_DIGITS and found.startswith(_CARD_STARTS)
    short = len(digits) == SHORT_CARD_DIGITS and found.startswith(_SHORT_CARD_STARTS)
    return (long or short) and len(set(digits)) > 1 and summed % 10 == 0


def _mod_97(found: str) -> bool:
    plain = found.replace(" ", "")
    turned = "".join(str(int(char, 36)) for char in plain[4:] + plain[:4])
    return int(turned) % 97 == 1


@cache
def _kinds() -> tuple[tuple[_Kind, re.Pattern[str]], ...]:
    return tuple((kind, re.compile(kind.pattern, re.ASCII)) for kind in _KINDS)


_KINDS = (
    _Kind("email", ("@",), r"[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}", "", _real_address),
    _Kind("card", (), r"[1-6](?:[ -]?\d){11,18}", "-", _luhn),
    _Kind("iban", (), r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?", "", _mod_97),
    _Kind("ssn", ("-",), r"\d{3}-\d{2}-\d{4}", "-", _real_ssn),
    _Kind("aws_key", ("AKIA", "ASIA"), r"A[KS]IA[0-9A-Z]{16}", "", _any),
    _Kind(
        "github_token",
        ("gh", "github_pat_"),
        r"g(?:h[pousr]_[A-Za-z0-9]{36}|ithub_pat_[A-Za-z0-9_]{22,255})",
        "_",
        _any,
    ),
    _Kind("api_key", ("sk-", "AIza", "hf_"), r"(?:sk-[\w-]{20,200}|AIza[\w-]{35}|hf_[A-Za-z0-9]{30,64})", "_", _any),
    _Kind("live_key", ("_live_",), r"[rs]k_live_[A-Za-z0-9]{16,64}", "_", _any),
    _Kind("chat_token", ("xox",), r"xox[abprs]-[A-Za-z0-9-]{10,200}", "-", _any),
    _Kind("private_key", ("PRIVATE KEY",), r"-----BEGIN (?:[A-Z]{2,12} ){0,2}PRIVATE KEY-----", "", _any),
)
