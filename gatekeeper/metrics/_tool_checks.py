"""Checks of the tool calls that an answer makes: whether the wanted ones are there, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.metrics._subset import holds
from gatekeeper.metrics._tools import arguments_of, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gatekeeper.metrics._answer import Answer

    Check = Callable[[Answer, Mapping[str, Any]], bool | None]


def _tool_call(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when some call has the value's name and at least its arguments."""
    value = wanted.get("value")
    if not isinstance(value, dict) or not _is_call(value):
        return None
    return any(_fits(call, value, wanted) for call in answer.tool_calls)


def _tool_calls(answer: Answer, wanted: Mapping[str, Any]) -> bool | None:
    """Hold when the calls are the value's, one for one in any order, each with at least its arguments; `[]`: none."""
    value = wanted.get("value")
    if not isinstance(value, list) or not all(map(_is_call, value)):
        return None
    if len(answer.tool_calls) != len(value):
        return False
    fits = [[_fits(call, each, wanted) for call in answer.tool_calls] for each in value]
    return _all_matched(fits)


CALL_CHECKS: Mapping[str, Check] = {"tool_call": _tool_call, "tool_calls": _tool_calls}


def _is_call(value: object) -> bool:
    return (
        isinstance(value, dict) and isinstance(value.get("name"), str) and isinstance(value.get("arguments", {}), dict)
    )


def _fits(call: object, value: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether one call has a wanted call's name and at least its arguments."""
    if name_of(call) != value["name"]:
        return False
    arguments = arguments_of(call)
    fold = wanted.get("ignore_case") is True
    return arguments is not None and holds(arguments.value, value.get("arguments", {}), fold=fold)


def _all_matched(fits: list[list[bool]]) -> bool:
    """Tell whether every wanted call (row) can have a call of its own (column): a perfect matching (Kuhn, 1955)."""
    owner: dict[int, int] = {}

    def place(row: int, tried: set[int]) -> bool:
        for column, good in enumerate(fits[row]):
            if good and column not in tried:
                tried.add(column)
                if column not in owner or place(owner[column], tried):
                    owner[column] = row
                    return True
        return False

    return all(place(row, set()) for row in range(len(fits)))
