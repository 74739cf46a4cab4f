"""Checks of instructions that a program can follow: how long, in which case, with which words, and how it begins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gatekeeper.metrics._answer import Answer

    Check = Callable[[Answer, Mapping[str, Any]], bool | None]

_WORD = re.compile(r"\w+(?:['’-]\w+)*")  # noqa: RUF001 - a typographic apostrophe is meant
_SENTENCE_END = re.compile(r"[.!?。！？](?=[\s\"')\]]|$)")  # noqa: RUF001 - full-width marks are meant
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_BULLET = re.compile(r"(?m)^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S")
_HEADING = re.compile(r"(?m)^#{1,6}[ \t]+\S")
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]{1,100}\]")


def _sentences(text: str) -> int:
    """Count ends of sentences, and a last one without its mark."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    return len(ends) + bool(_WORD.search(text, ends[-1] if ends else 0))


COUNTS: Mapping[str, Callable[[str], int]] = {
    "bullets": lambda text: len(_BULLET.findall(text)),
    "characters": len,
    "commas": lambda text: text.count(","),
    "headings": lambda text: len(_HEADING.findall(text)),
    "lines": lambda text: sum(bool(line.strip()) for line in text.splitlines()),
    "paragraphs": lambda text: sum(bool(part.strip()) for part in _PARAGRAPH.split(text)),
    "placeholders": lambda text: len(_PLACEHOLDER.findall(text)),
    "sentences": _sentences,
    "words": lambda text: len(_WORD.findall(text)),
}


def _count(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the answer has `min` to `max` of what the value names, such as words or bullets."""
    count = COUNTS.get(wanted["value"]) if isinstance(wanted.get("value"), str) else None
    return None if count is None else _within(count(answer.text.strip()), wanted)


def _keyword(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the value occurs as a whole word, in any case, `min` (default 1) to `max` times."""
    value = wanted.get("value")
    if not isinstance(value, str) or not value.strip():
        return None
    found = re.findall(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", answer.text.casefold())
    return _within(len(found), wanted if "min" in wanted or "max" in wanted else {"min": 1})


def _case(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when every letter of the answer that has a case is in the value's: "upper" or "lower"."""
    value = wanted.get("value")
    if value not in ("upper", "lower"):
        return None
    return answer.text.isupper() if value == "upper" else answer.text.islower()


def _starts_with(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the answer, less outer white space, begins with the value (or one of a list of values)."""
    ends = _ends(wanted)
    return answer.text.strip().startswith(ends) if ends else None


def _ends_with(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the answer, less outer white space, ends with the value (or one of a list of values)."""
    ends = _ends(wanted)
    return answer.text.strip().endswith(ends) if ends else None


def _ends(wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts that one end of the answer may have; () where some of them are none."""
    value = wanted.get("value")
    values = value if isinstance(value, list) else [value]
    texts = tuple(each.strip() for each in values if isinstance(each, str) and each.strip())
    return texts if len(texts) == len(values) else ()


def _within(count: int, wanted: Mapping[str, Any]) -> bool | None:
    """Tell whether a count lies between `min` and `max`; None where neither is given, or one is no count."""
    bounds = [wanted[key] for key in ("min", "max") if key in wanted]
    if not bounds or not all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in bounds):
        return None
    return bool(wanted.get("min", 0) <= count <= wanted.get("max", count))


INSTRUCTIONS: Mapping[str, Check] = {
    "case": _case,
    "count": _count,
    "ends_with": _ends_with,
    "keyword": _keyword,
    "starts_with": _starts_with,
}
