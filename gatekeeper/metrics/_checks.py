"""Checks an evalset may ask of an answer: each returns whether it holds, or None when it cannot be checked."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from gatekeeper.metrics._answer import Answer
from gatekeeper.metrics._instructions import INSTRUCTIONS
from gatekeeper.metrics._json import parse, strip_fence
from gatekeeper.metrics._patterns import search
from gatekeeper.metrics._subset import holds
from gatekeeper.metrics._tool_checks import CALL_CHECKS
from gatekeeper.metrics.refusal_rate import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[Answer, Mapping[str, Any]], bool | None]

DEFAULT_CHOICES = tuple("ABCDEFGHIJ")
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?|[-+]?\.\d+")


def _exact(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the whole answer, less outer white space, is the value (or one of a list of values)."""
    values = _texts(wanted)
    return None if values is None else _fold(answer.text.strip(), wanted) in [_fold(v.strip(), wanted) for v in values]


def _contains(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the answer holds the value (or every one of a list of values)."""
    values = _texts(wanted)
    return None if values is None else all(_fold(v, wanted) in _fold(answer.text, wanted) for v in values)


def _contains_any(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the answer holds at least one of the values."""
    values = _texts(wanted)
    return None if values is None else any(_fold(v, wanted) in _fold(answer.text, wanted) for v in values)


def _numeric(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the last number of the answer is the value, within `tolerance` (absolute; default 1e-6)."""
    value, tolerance = _number(wanted.get("value")), _number(wanted.get("tolerance", 1e-6))
    if value is None or tolerance is None:
        return None
    found = _NUMBER.findall(answer.text)
    return bool(found) and math.isclose(float(found[-1].replace(",", "")), value, rel_tol=0.0, abs_tol=tolerance)


def _choice(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the answer settles on the value: said to be the answer, leading, or the only choice named.

    `choices` lists what there was to choose from (default A to J).
    """
    value, choices = wanted.get("value"), wanted.get("choices", DEFAULT_CHOICES)
    if not isinstance(value, str) or not isinstance(choices, (list, tuple)) or value not in choices:
        return None
    one = "|".join(re.escape(str(each)) for each in sorted(choices, key=lambda each: -len(str(each))))
    said = re.findall(rf"(?i:\banswer\s*(?:is|:)?)[\s*(\"']{{0,4}}({one})\b", answer.text)
    if said:
        return bool(said[-1] == value)
    leading = re.match(rf"[\s*(\"']{{0,4}}({one})(?:[).:,*\"']|\s*(?:\n|$))", answer.text)
    if leading:
        return leading.group(1) == value
    return set(re.findall(rf"(?<!\w)({one})(?!\w)", answer.text)) == {value}


def _regex(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the pattern is found in the answer's first 8,000 characters; None for one that is not linear."""
    pattern = wanted.get("value")
    return search(pattern, answer.text) if isinstance(pattern, str) else None


def _json_subset(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the answer is JSON (a code fence around it is forgiven here) that holds at least the value."""
    if "value" not in wanted:
        return None
    parsed = parse(answer.text)
    if not parsed.ok and (inner := strip_fence(answer.text)) is not None:
        parsed = parse(inner)
    return parsed.ok and holds(parsed.value, wanted["value"], fold=wanted.get("ignore_case") is True)


def _refusal(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the model declined and should have (value true), or did neither (value false)."""
    value, found = wanted.get("value"), judge(answer)
    return found.refused == value if isinstance(value, bool) and found is not None else None


CHECKS: Mapping[str, Check] = {
    "exact": _exact,
    "contains": _contains,
    "contains_any": _contains_any,
    "numeric": _numeric,
    "choice": _choice,
    "regex": _regex,
    "json_subset": _json_subset,
    "refusal": _refusal,
    **CALL_CHECKS,
    **INSTRUCTIONS,
}


def check(answer: Answer, expectation: Mapping[str, Any]) -> bool | None:
    """Tell whether an expectation holds (with `not: true`: whether it does not); None when it cannot be checked.

    Raises:
        KeyError: no check is of this type; `fault` says so first.
    """
    held = CHECKS[expectation["type"]](answer, expectation)
    return held if held is None else held is not (expectation.get("not") is True)


def fault(expectation: Mapping[str, Any]) -> str:
    """Return why an expectation can never be checked; "" when it can."""
    kind = expectation.get("type")
    if not isinstance(kind, str) or kind not in CHECKS:
        return f"unknown type {kind!r}; known: {', '.join(sorted(CHECKS))}"
    if not isinstance(expectation.get("not", False), bool):
        return f"not: found {str(expectation['not'])[:80]!r}, expected true or false"
    if check(Answer(text="."), expectation) is None:
        return f"value {str(expectation.get('value'))[:80]!r} cannot be checked as {kind!r}"
    return ""


def _texts(wanted: Mapping[str, Any]) -> list[str] | None:
    """Return the value as texts; None when there is none to compare with."""
    value = wanted.get("value")
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(each, (str, int, float)) and not isinstance(each, bool) for each in values):
        return None
    return [str(each) for each in values]


def _fold(text: str, wanted: Mapping[str, Any]) -> str:
    """Fold case where the expectation says `ignore_case`."""
    return text.casefold() if wanted.get("ignore_case") is True else text


def _number(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None
