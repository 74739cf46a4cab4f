"""Personal data and secrets in a text: patterns, and the check digits that tell them from other numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address

from gatekeeper.metrics._digits import enough_digits

MOST_FOUND = 50  # so that a hostile answer costs little more than a bad one
CARD_DIGITS = range(13, 20)
SHORT_CARD_DIGITS = 12
_CARD_STARTS = ("1800", "2", "3", "4", "5", "6")
_SHORT_CARD_STARTS = ("0604", "50", "56", "57", "58", "6")
_PRINTED_SSN = {"078-05-1120", "219-09-9999"}
_PLACEHOLDER = re.compile(
    r"@(?:[\w-]+\.)*(?:example\.[a-z.]{2,6}|example|invalid|test|localhost|(?:sub)?domain\.[a-z.]{2,6}|yourdomain\.\w+)$"
    r"|^\W?your\w*(?:[.+_-]?\w+)*@|@(?:your[\w-]*|my(?:company|domain|site))\.\w+$|^(?:user(?:name)?|name|someone|first(?:name)?\.?last(?:name)?)@",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sensitive:
    """Hold what kind of datum stands where: text[start:end]."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """Describe a kind: one of its hints must stand in the text, and its clue be found, before its pattern is tried.

    pattern: starts with plain characters and has finite bounds, so that a hostile text costs linear time.
    edge: characters that may not stand beside a match. real: tells data from look-alikes.
    clue: a pattern that is found faster than the whole. lead: characters of the datum before the pattern's match.
    long: has digits enough to be asked after only where `enough_digits` finds some.
    """

    name: str
    hints: tuple[str, ...]
    pattern: str
    edge: str
    real: Callable[[str], bool]
    clue: str = ""
    lead: int = 0
    long: bool = False


def find(text: str) -> list[Sensitive]:
    """Return personal data and secrets in a text, by kind, 50 at most; what is plainly an example is none.

    Where two overlap, the kind that stands first in the list is told.
    """
    found: list[Sensitive] = []
    for kind, clue, pattern in _kinds():
        for hint in kind.hints:
            if hint in text:
                break
        else:
            continue
        if (kind.long and not enough_digits(text)) or (clue and not clue.search(text)):
            continue
        for match in pattern.finditer(text):
            start, end = max(0, match.start() - kind.lead), match.end()
            if not (_free(text, start, end, kind.edge) and kind.real(text[start:end])):
                continue
            if any(each.start < end and start < each.end for each in found):
                continue
            found.append(Sensitive(kind.name, start, end))
            if len(found) == MOST_FOUND:
                return found
    return found


def _free(text: str, start: int, end: int, edge: str) -> bool:
    """Tell whether neither neighbour of text[start:end] is a letter, a digit or one of `edge`."""
    beside = text[start - 1 : start] + text[end : end + 1]
    return not any(char.isalnum() or char in edge for char in beside)


def _any(_found: str) -> bool:
    return True


def _real_address(found: str) -> bool:
    return _PLACEHOLDER.search(found) is None


def _real_login(found: str) -> bool:
    """Refuse `user:password@` and other placeholders in a URL."""
    password = found.rpartition("@")[0].rpartition(":")[2].lower()
    return password.strip("<>[]{}$*x.") not in {"", "password", "pass", "pwd", "secret", "token", "your_password"}


def _real_ssn(found: str) -> bool:
    """Refuse numbers that were never issued, and the two that are printed as examples."""
    area, group, serial = found.split("-")
    if found in _PRINTED_SSN:
        return False
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
    if not (plain.isascii() and plain[:2].isalpha()):
        return False
    turned = "".join(str(int(char, 36)) for char in plain[4:] + plain[:4])
    return int(turned) % 97 == 1


def _public_ip(found: str) -> bool:
    """Refuse private and reserved addresses, and dotted numbers of one digit each: versions, sections, resolvers."""
    if ":" not in found and max(len(part) for part in found.split(".")) == 1:
        return False
    try:
        address = ip_address(found)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


@cache
def _kinds() -> tuple[tuple[_Kind, re.Pattern[str] | None, re.Pattern[str]], ...]:
    return tuple(
        (kind, re.compile(kind.clue, re.ASCII) if kind.clue else None, re.compile(kind.pattern, re.ASCII))
        for kind in _KINDS
    )


_KINDS = (
    _Kind("login", ("://",), r"(?<=://)[\w.%+-]{1,64}:[^\s/@:\"'<>]{6,64}@[\w.-]{1,253}", "", _real_login),
    _Kind("email", ("@",), r"[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}", "", _real_address),
    _Kind("card", ("",), r"[0-6](?:[ -]?\d){11,18}", "-", _luhn, long=True),
    _Kind(
        "iban",
        ("",),
        r"[0-9][0-9](?:(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?|[a-z0-9]{11,30})",
        "",
        _mod_97,
        clue=r"[0-9][0-9] ?[A-Za-z0-9]{4} ?[A-Za-z0-9]{4}",
        lead=2,
        long=True,
    ),
    _Kind("ssn", ("-",), r"\d{3}-\d{2}-\d{4}", "-", _real_ssn, clue=r"-\d\d-\d"),
    _Kind("ip", (".",), r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)", "-", _public_ip, clue=r"\.\d{1,3}\.\d"),
    _Kind(
        "ip",
        (":",),
        r"[0-9A-Fa-f]{1,4}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{1,4}(?!\.\d)",
        ":",
        _public_ip,
        clue=r":[0-9A-Fa-f]{0,4}:",
    ),
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
    _Kind("gitlab_token", ("glpat-",), r"glpat-[\w-]{20,64}", "-", _any),
    _Kind("jwt", ("eyJ",), r"eyJ[\w-]{10,300}\.eyJ[\w-]{10,4000}\.[\w-]{20,1000}", "", _any),
    _Kind("webhook", ("hooks.slack.com/",), r"hooks\.slack\.com/services/T\w{8,12}/B\w{8,12}/\w{20,30}", "", _any),
    _Kind("private_key", ("PRIVATE KEY",), r"-----BEGIN (?:[A-Z]{2,12} ){0,2}PRIVATE KEY-----", "", _any),
)
