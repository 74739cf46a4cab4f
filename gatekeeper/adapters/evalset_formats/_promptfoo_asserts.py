"""promptfoo's deterministic assertions in our words; the others have none, and that is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters._evalset_rules import unusable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.adapters.evalset_formats._collected import Collected

SCRIPTS = frozenset({"javascript", "python", "ruby", "webhook"})
MEASURED: Mapping[str, str] = {
    "cost": "cost_usd",
    "latency": "latency_ms",
    "is-valid-openai-tools-call": "tool_call_validity",
    "is-valid-openai-function-call": "tool_call_validity",
    "is-valid-function-call": "tool_call_validity",
}
TEXTS: Mapping[str, tuple[str, bool]] = {
    "contains": ("contains", False),
    "contains-all": ("contains", False),
    "contains-any": ("contains_any", False),
    "icontains": ("contains", True),
    "icontains-all": ("contains", True),
    "icontains-any": ("contains_any", True),
    "starts-with": ("starts_with", False),
    "regex": ("regex", False),
}
"""Assertion: our check, and whether case is folded."""


def expect(collected: Collected, sample: dict[str, Any], place: str, assertion: Mapping[str, Any]) -> None:
    """Give a sample what an assertion asks for, or note why that cannot be."""
    kind = str(assertion["type"])
    plain = kind.removeprefix("not-")
    turned = {"not": True} if plain != kind else {}
    if assertion.get("weight") not in (None, 0, 1):
        collected.adapt(place, kind, f"its weight of {assertion['weight']} has no meaning: here all must hold")
    value = assertion.get("value")
    if why := _hindered(plain, assertion):
        collected.leave(place, kind, why, sample)
    elif plain == "assert-set":
        for index, inner in enumerate(assertion.get("assert") or []):
            expect(collected, sample, f"{place}.assert[{index}]", inner)
    elif plain == "is-json" and not turned:
        _json(collected, sample, place, value)
    elif (check := _check(collected, place, plain, value)) is not None:
        collected.expect(sample, place, kind, {**check, **turned})
    else:
        collected.leave(place, kind, _why(plain), sample)


def _hindered(plain: str, assertion: Mapping[str, Any]) -> str:
    """Return what keeps an assertion of any type from being mapped; "" for nothing."""
    value = assertion.get("value")
    if isinstance(value, str) and value.startswith("file://"):
        return f"its value is a file, {value}: write it into the assertion"
    if assertion.get("transform"):
        return "its transform changes the answer first, by a script"
    if assertion.get("weight") == 0:
        return "its weight is 0: it decides nothing"
    if plain == "assert-set" and assertion.get("threshold") is not None:
        return "a threshold lets some of the set fail; here all must hold"
    return ""


def _check(collected: Collected, place: str, plain: str, value: Any) -> dict[str, Any] | None:  # noqa: ANN401 - any YAML
    """Return our expectation, None where there is none."""
    if plain in TEXTS:
        name, fold = TEXTS[plain]
        told = value if isinstance(value, (str, list)) else str(value)
        told = [told] if name == "contains_any" and isinstance(told, str) else told
        return {"type": name, "value": told, **({"ignore_case": True} if fold else {})}
    if plain == "equals" and isinstance(value, (dict, list)):
        collected.adapt(place, plain, "further keys in the answer are forgiven here")
        return {"type": "json_subset", "value": value}
    if plain == "equals" and value is not None:
        return {"type": "exact", "value": value if isinstance(value, str) else json.dumps(value)}
    if plain == "is-refusal":
        return {"type": "refusal", "value": True}
    if plain == "word-count":
        bounds = value if isinstance(value, dict) else {"min": value, "max": value}
        kept = {key: int(bounds[key]) for key in ("min", "max") if isinstance(bounds.get(key), (int, float))}
        return {"type": "count", "value": "words", **kept}
    return None


def _json(collected: Collected, sample: dict[str, Any], place: str, value: Any) -> None:  # noqa: ANN401 - any YAML
    """Score the answer by a schema (none: any JSON), which `json_validity` does."""
    if sample.get("response_schema") not in (None, {}):
        collected.leave(place, "is-json", "the sample has a schema already", sample)
        return
    if value is not None and not isinstance(value, dict):
        collected.leave(place, "is-json", f"found {str(value)[:60]!r}, expected a schema", sample)
        return
    if problem := next((why for _, why in unusable({"response_schema": value})), ""):
        collected.leave(place, "is-json", problem, sample)
        return
    sample["response_schema"] = value or {}
    collected.adapt(place, "is-json", "scored by json_validity, not by task_success")


def _why(plain: str) -> str:
    if plain in SCRIPTS:
        return "scripts are never run and nothing is called: say it by a check, or score it apart"
    if plain in MEASURED:
        return f"a policy's {MEASURED[plain]} judges this"
    return "no check here does the same"
