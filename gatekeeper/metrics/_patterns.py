"""Which regular expressions may run on text nobody trusts, as long as the engine is one that backtracks."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

MAX_PATTERN_CHARS = 500
_BACK_OR_AROUND = re.compile(r"\\[1-9]|\(\?P=|\(\?[=!<(](?![A-Za-z_])|\(\?<[=!]")


@lru_cache(maxsize=1024)
def usable(pattern: str) -> bool:
    """Tell whether a pattern compiles and cannot take exponential time.

    Refused: over 500 characters, what the compiler warns of, back-references, look-around, conditionals, and a
    repeated group that holds a repetition or an alternation itself. What is left is at worst polynomial, so callers
    cap the text as well.
    """
    if len(pattern) > MAX_PATTERN_CHARS or _BACK_OR_AROUND.search(pattern):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError, Warning):
        return False
    return not _repeats_repetition(_without_classes(pattern))


def _without_classes(pattern: str) -> str:
    """Replace escapes and character classes by a letter, so that what is left is structure."""
    return re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "a", pattern, flags=re.DOTALL)


def _repeats_repetition(structure: str) -> bool:
    """Tell whether some group that repeats without bound holds a repetition or an alternation."""
    loose = [False]  # for each open group: whether it holds one
    for place, char in enumerate(structure):
        if char == "(":
            loose.append(False)
        elif char == ")" and len(loose) > 1:
            inner = loose.pop()
            if inner and _repeats(structure, place + 1):
                return True
            loose[-1] = loose[-1] or inner
        elif char == "|" or (char in "*+{?" and place and structure[place - 1] != "("):
            loose[-1] = True
    return False


def _repeats(structure: str, place: int) -> bool:
    """Tell whether a quantifier for more than one stands here."""
    return structure[place : place + 1] in {"*", "+", "{"}
