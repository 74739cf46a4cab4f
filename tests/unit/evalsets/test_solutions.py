"""The answers of the reasoning evalset, computed again from the solutions that it carries."""

from __future__ import annotations

import calendar
import math
import os
from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import combinations, groupby, permutations, product
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gatekeeper.model.evalset import EvalSample, Evalset

T = TypeVar("T")


def only(found: Iterable[T]) -> T:
    """Return the one value that every solution has: a task with two answers is no task."""
    (value,) = set(found)
    return value


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return 60 * int(hours) + int(rest)


KNOWN: dict[str, Any] = {
    "Counter": Counter,
    "DAYS": list(calendar.day_name),
    "Fraction": Fraction,
    "SETS": [frozenset(each) for size in range(4) for each in combinations(range(3), size)],
    "calendar": calendar,
    "date": date,
    "datetime": datetime,
    "groupby": groupby,
    "math": math,
    "minutes": minutes,
    "only": only,
    "os": os,
    "permutations": permutations,
    "product": product,
    "timedelta": timedelta,
}


def test_every_answer_follows_from_its_solution(shipped: Callable[[str], Evalset]):
    samples = shipped("reasoning").samples
    computed = {sample.id: f"Answer: {_shown(_solve(sample))}" for sample in samples}
    assert computed == {sample.id: sample.target for sample in samples}


def _solve(sample: EvalSample) -> object:
    known = {**KNOWN, "rows": _table(sample.input[-1]["content"])} if sample.id.startswith("tables-") else dict(KNOWN)
    return eval(sample.metadata["solution"], known)  # noqa: S307 - an expression of our own file


def _shown(value: object) -> str:
    """Return a value as an answer gives it: whole numbers without a point, others to six places."""
    if isinstance(value, (int, str)):
        return str(value)
    number = round(float(value), 6)  # type: ignore[arg-type]
    return str(int(number)) if number.is_integer() else repr(number)


def _table(prompt: str) -> list[dict[str, Any]]:
    """Read the table above a prompt's first empty line: bars or commas between cells, names in the first row."""
    lines = prompt.split("\n\n", maxsplit=1)[0].splitlines()
    bars = [line.removeprefix("|").removesuffix("|").split("|") if "|" in line else line.split(",") for line in lines]
    names, *rows = [[cell.strip() for cell in cells] for cells in bars]
    return [dict(zip(names, map(_cell, row), strict=True)) for row in rows]


def _cell(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
