"""Findings in units of their own margins: harm is positive, 1 is the margin, numbers in and numbers out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORST_FIRST = ("fail", "error", "inconclusive", "no data", "pass")
NO_DATA = "no data"
CLIP = 3.0
"""What lies further out is drawn here: the picture must not shrink the margin itself to nothing."""


def rows(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Turn findings into rows in units of each one's own margin, worst first.

    A finding without a margin (it is watched, and never decides) is left out; one whose effect cannot be had is
    `no data`, a ruling of its own, and neither good nor bad news.
    """
    drawn = [row(finding) for finding in findings if finding["margin"] is not None]
    return sorted(drawn, key=_worst_first)


def row(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Return one finding as {name, ruling, estimate, lower, upper, beyond, told}.

    estimate, lower, upper: in margins, clipped; None where there are no data. beyond: 1 where the estimate itself lies
    further to the right than is drawn, -1 to the left, else 0.
    """
    effect = finding["effect"]
    known = effect["estimate"] is not None
    estimate = _harm(finding, effect["estimate"]) if known else None
    ends = [None if effect[end] is None else _harm(finding, effect[end]) for end in ("lower", "upper")]
    lower, upper = ends if _rises(finding) else ends[::-1]
    return {
        "name": name(finding),
        "ruling": finding["ruling"] if known else NO_DATA,
        "estimate": None if estimate is None else _clip(estimate),
        "lower": _clip(-math.inf if lower is None else lower) if known else None,
        "upper": _clip(math.inf if upper is None else upper) if known else None,
        "beyond": 0 if estimate is None or abs(estimate) <= CLIP else int(math.copysign(1, estimate)),
        "told": finding["reason"],
    }


def name(finding: Mapping[str, Any]) -> str:
    """Name what a finding is about: metric, whether it is its absolute limit, and segment."""
    limit = " limit" if _is_limit(finding) else ""
    return f"{finding['metric']}{limit}" + (f" · {finding['segment']}" if finding["segment"] else "")


def _harm(finding: Mapping[str, Any], value: float) -> float:
    """Return a value in margins: a difference over its margin, or a candidate's value over its limit."""
    margin = abs(finding["margin"])
    share = value / margin if margin else math.copysign(math.inf, value) if value else 0.0
    if _rises(finding):
        return share
    return 2.0 - share if _is_limit(finding) else -share


def _rises(finding: Mapping[str, Any]) -> bool:
    """Tell whether more is harm, as it is unless the finding says otherwise."""
    return finding["increase"] is not False


def _is_limit(finding: Mapping[str, Any]) -> bool:
    return str(finding["test"]).endswith("_limit")


def _clip(value: float) -> float:
    return max(-CLIP, min(CLIP, value))


def _worst_first(row: Mapping[str, Any]) -> tuple[int, float]:
    """Order by ruling; proven harm by what is proven at least, all else by what may be at most."""
    end = row["lower"] if row["ruling"] == "fail" else row["upper"]
    return WORST_FIRST.index(row["ruling"]), -(end or 0.0)
