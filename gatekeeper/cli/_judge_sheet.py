"""A judge against people, for people to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gatekeeper.cli import _sheet
from gatekeeper.cli._sheet import NONE, Block, SheetFormat

if TYPE_CHECKING:
    from gatekeeper.flow.judge_calibrate import Calibration
    from gatekeeper.stats._agreement import Figure

HEADS = ("figure", "value", "95 % interval", "n")
LEAST_N = 100
FAIR, GOOD = 0.4, 0.6
"""Kappas below which a judge is no help, and from which it is a good one (Landis and Koch 1977)."""


def render(found: Calibration, title: str, form: SheetFormat) -> str:
    """Return a calibration in the form that was asked for."""
    if form is SheetFormat.JSON:
        from gatekeeper.model.wire import to_dict  # noqa: PLC0415 - one form is wanted

        return json.dumps(to_dict(found), indent=2, ensure_ascii=False, allow_nan=False)
    head = f"{title}: {found.labelled:,} {found.kind} labelled by people, {found.judged:,} judged"
    rows = [row for row in _rows(found) if row]
    return (_sheet.text if form is SheetFormat.TEXT else _sheet.markdown)([Block(head, HEADS, rows, _lines(found))])


def _rows(found: Calibration) -> list[tuple[str, ...]]:
    rows = [_row("says as people do", found.accuracy)]
    if found.decided is not None:
        rows.append(_row("the same where people have a favourite", found.decided))
    rows.append(_row("kappa: agreement beyond chance", found.kappa, plain=True))
    if found.position is not None and found.first is not None:
        rows.append(_row("position: changes its mind with the order", found.position))
        rows.append(_row("of these, takes what stands first", found.first))
    what = "length: takes the longer one more often than people" if found.decided else LENIENT
    return [*rows, _row(what, found.length, signed=True)]


LENIENT = "length: passes more of the longer half than people"


def _row(name: str, figure: Figure, *, plain: bool = False, signed: bool = False) -> tuple[str, ...]:
    if figure.value is None or figure.lower is None or figure.upper is None:
        return (name, NONE, NONE, f"{figure.n:,}")
    numbers = (figure.value, figure.lower, figure.upper)
    if plain:
        value, lower, upper = (f"{number:.2f}" for number in numbers)
    else:
        sign, unit = ("+", " pp") if signed else ("", " %")
        value, lower, upper = (f"{100.0 * number:{sign}.1f}" for number in numbers)
        value += unit
    return (name, value, f"[{lower}, {upper}]", f"{figure.n:,}")


def _lines(found: Calibration) -> list[str]:
    lines = [f"no opinion of {count:,}: {reason}" for reason, count in found.reasons.items()]
    if found.judged < LEAST_N:
        lines.append(f"{found.judged:,} are few: label {LEAST_N} or more before you trust these figures")
    kappa = found.kappa
    if kappa.value is None:
        lines.append("kappa cannot be said: people and judge gave one and the same answer throughout")
    elif kappa.upper is not None and kappa.upper < FAIR:
        lines.append(f"kappa is surely below {FAIR}: this judge says little about what your people think")
    elif kappa.lower is not None and kappa.lower >= GOOD:
        lines.append(f"kappa is surely {GOOD} or more: this judge agrees well with your people")
    if found.length.lower is not None and found.length.lower > 0:
        lines.append("it favours long answers: watch length_ratio beside it")
    return [*lines, "a judge alone never decides: give the policy another metric with a margin"]
