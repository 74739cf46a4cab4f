"""Tables as Markdown, and the page that shows them: each is written between two marks and nothing else is touched."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from figures import Figure

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "decision-quality.md"
IMAGES = HERE.parents[1] / "docs" / "images"
GOALS = HERE / "goals.json"
RESULTS = HERE / "results.json"


def number(value: float) -> str:
    """Write a figure short: three digits of a share, two of a ratio, whole samples."""
    if abs(value) >= 100:  # noqa: PLR2004 - samples
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"


def line(figure: Figure) -> str:
    """Write one figure for the terminal."""
    sign = "<=" if figure.at_most else ">="
    bound = "" if figure.bound is None else f"  {sign} {number(figure.bound)}: {figure.verdict}"
    return f"    {figure.measure:28} {number(figure.value):>8} ± {number(figure.error)}{bound}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def goals_table(goals: Mapping[int, Sequence[Mapping[str, Any]]]) -> str:
    """Write all figures of the goals."""
    rows = []
    for goal, figures in sorted(goals.items()):
        for one in figures:
            sign = "≤" if one["at_most"] else "≥"
            bound = "" if one["bound"] is None else f"{sign} {number(one['bound'])}"
            value = f"{number(one['value'])} ± {number(one['error'])}"
            what = [str(goal), one["case"], one["measure"], value, bound, one["verdict"], f"{one['replicates']:,}"]
            rows.append(what)
    return markdown(["goal", "case", "measure", "measured", "to reach", "", "rollouts"], rows)


def verdicts(goals: Mapping[int, Sequence[Mapping[str, Any]]]) -> str:
    """Write one row for each goal: how many of its bounds are met, and which are missed."""
    rows = []
    for goal, figures in sorted(goals.items()):
        held = [one for one in figures if one["bound"] is not None]
        missed = [one for one in held if one["verdict"] == "missed"]
        near = sum(one["verdict"] == "within error" for one in held)
        what = "; ".join(f"{one['case']}: {one['measure']} {number(one['value'])}" for one in missed)
        met = f"{len(held) - len(missed) - near} of {len(held)}"
        rows.append([str(goal), "missed" if missed else "met", met, str(near), what])
    return markdown(["goal", "", "bounds met", "within error", "missed"], rows)


def keep_goals(goals: Mapping[int, Sequence[Figure]], *, part: bool) -> None:
    """Put figures in place of the earlier ones of their goals (part: of their cases), in goals.json and on the page."""
    known = json.loads(GOALS.read_text(encoding="utf-8")) if GOALS.exists() else {}
    for goal, figures in goals.items():
        old, new = known.get(str(goal), []) if part else [], [figure.to_json() for figure in figures]
        cases = list(dict.fromkeys(one["case"] for one in [*old, *new]))
        measured = {one["case"] for one in new}
        held = [one for one in old if one["case"] not in measured] + new
        known[str(goal)] = sorted(held, key=lambda one: cases.index(one["case"]))
    known = dict(sorted(known.items()))
    GOALS.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    by_goal = {int(goal): figures for goal, figures in known.items()}
    show("verdicts", verdicts(by_goal))
    show("goals", goals_table(by_goal))


def show(name: str, text: str) -> None:
    """Replace what stands on the page between the marks of this name."""
    page = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{PAGE.name} has no place for {name}: expected <!-- {name} --> and <!-- /{name} -->")
    PAGE.write_text(pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page), encoding="utf-8")
