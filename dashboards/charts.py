"""Charts of a rollout: findings in, Altair out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
from margins import CLIP, NO_DATA, row, rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLOURS = {"fail": "#c62828", "error": "#8e24aa", "inconclusive": "#e6a100", NO_DATA: "#9e9e9e", "pass": "#00897b"}
SHAPES = {-1: "triangle-left", 0: "circle", 1: "triangle-right"}
HARM, GRID = "#c62828", "#9e9e9e"
ROW_PX, AXES_PX = 28, 130
LABEL_PX = 320


def forest(findings: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Draw every finding's interval in units of its own margin, worst first; the dashed line is the margin.

    Harm is to the right. What lies beyond the picture is a triangle at its edge; what has no data says so.
    """
    drawn = [{**found, "shape": SHAPES[found["beyond"]]} for found in rows(findings)]
    names = [found["name"] for found in drawn]
    base = alt.Chart(alt.Data(values=drawn)).encode(
        y=alt.Y("name:N", sort=names, scale=alt.Scale(domain=names), title=None, axis=alt.Axis(labelLimit=LABEL_PX)),
        color=alt.Color(
            "ruling:N",
            title=None,
            scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
            legend=alt.Legend(orient="top"),
        ),
        tooltip=[alt.Tooltip("name:N", title="metric"), alt.Tooltip("ruling:N"), alt.Tooltip("told:N", title="found")],
    )
    known = base.transform_filter(f"datum.ruling != '{NO_DATA}'")
    intervals = known.mark_rule(strokeWidth=4).encode(x=_margins("lower"), x2="upper:Q")
    estimates = known.mark_point(filled=True, size=110, opacity=1).encode(
        x=_margins("estimate"), shape=alt.Shape("shape:N", scale=None)
    )
    silent = base.transform_filter(f"datum.ruling == '{NO_DATA}'").mark_text(text=NO_DATA, align="left", dx=6)
    silent = silent.encode(x=alt.datum(0.0))
    lines = [
        _line(0.0, "no change", GRID, [1, 0]),
        _line(1.0, "margin", HARM, [6, 4]),
    ]
    layers = [part for pair in lines for part in pair]
    return alt.layer(*layers, intervals, estimates, silent).properties(height=ROW_PX * max(len(names), 1) + AXES_PX)


def over_time(looks: Sequence[Mapping[str, Any]], chosen: str) -> alt.LayerChart:
    """Draw one finding's interval look after look, closing on its margin; `chosen` is its name in `rows`."""
    points = [
        {"look": look["look"], **found}
        for look in looks
        for found in (row(finding) for finding in look["report"]["findings"] if finding["margin"] is not None)
        if found["name"] == chosen and found["ruling"] != NO_DATA
    ]
    base = alt.Chart(alt.Data(values=points)).encode(x=alt.X("look:Q", title="look", axis=alt.Axis(tickMinStep=1)))
    scale = alt.Scale(domain=[-CLIP, CLIP])
    band = base.mark_area(opacity=0.25).encode(
        y=alt.Y("lower:Q", scale=scale, title="harm, in margins"), y2=alt.Y2("upper:Q")
    )
    estimate = base.mark_line(point=True).encode(y="estimate:Q")
    margin = alt.Chart(alt.Data(values=[{"at": 1.0}])).mark_rule(strokeDash=[6, 4], color=HARM).encode(y="at:Q")
    return alt.layer(band, estimate, margin).properties(height=240)


def _margins(field: str) -> alt.X:
    title = "harm, in units of each metric's own margin: right of the dashed line is worse than allowed"
    ticks = alt.Axis(values=list(range(-int(CLIP), int(CLIP) + 1)))
    return alt.X(f"{field}:Q", scale=alt.Scale(domain=[-CLIP, CLIP]), title=title, axis=ticks)


def _line(at: float, text: str, colour: str, dash: list[int]) -> tuple[alt.Chart, alt.Chart]:
    base = alt.Chart(alt.Data(values=[{"at": at, "text": text}])).encode(x=alt.X("at:Q"))
    words = base.mark_text(color=colour, align="left", dx=4, dy=-4, baseline="bottom").encode(
        text="text:N", y=alt.value(0)
    )
    return base.mark_rule(strokeDash=dash, color=colour), words
