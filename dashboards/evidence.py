"""What a rollout's standing rests on, drawn: the sentence, the steps, the shares, and every metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import charts
import margins
import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.client import Client

BADGES = {
    "running": ("Running", "blue"),
    "promoted": ("Promoted", "green"),
    "rolled_back": ("Rolled back", "red"),
    "aborted": ("Aborted", "orange"),
}
ICONS = {"done": "✔", "current": "◉", "waiting": "○", "failed": "✖", "stopped": "■", "skipped": "◌"}
ARMS = ("baseline", "control", "candidate")
BP_PER_PERCENT = 100.0
LOOKS = 100
MINUTE_S, HOUR_S = 60, 3_600


def head(rollout: Mapping[str, Any]) -> None:
    """Draw the sentence that decides, the steps, and where traffic goes; none of its words are Markdown."""
    word, colour = BADGES[rollout["state"]]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(word, color=colour)
        if rollout["paused"]:
            st.badge("Paused", color="orange")
        st.text(f"{rollout['service']}: {rollout['baseline_id']} → {rollout['candidate_id']}")
    with st.container(key="sentence", border=True):
        st.text(rollout["sentence"])
    with st.container(key="steps", horizontal=True):
        for stage in rollout["stages"]:
            with st.container(border=True, width="content"):
                st.text(step(stage, approved=rollout["approved_stage"] >= stage["index"]))
    with st.container(key="figures", horizontal=True, gap="large"):
        for name, value in _figures(rollout).items():
            st.metric(name, value, width="content")


def step(stage: Mapping[str, Any], *, approved: bool) -> str:
    """Say what a stage is and how it stands: `◉ canary 10 % · needs approval`."""
    share_bp = stage["weight_bp"] or stage["mirror_bp"]
    share = f" {share_bp / BP_PER_PERCENT:g} %" if share_bp else ""
    asks = (" · approved" if approved else " · needs approval") if stage["needs_approval"] else ""
    return f"{ICONS[stage['state']]} {stage['kind']}{share}{asks}"


def span(wait_s: float) -> str:
    """Return a duration as people say it: `42 s`, `3 min 20 s`, `2 h 5 min`."""
    seconds = int(wait_s)
    if seconds < MINUTE_S:
        return f"{seconds} s"
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S} min {seconds % MINUTE_S} s"
    return f"{seconds // HOUR_S} h {seconds % HOUR_S // MINUTE_S} min"


def metrics(api: Client, rollout: Mapping[str, Any]) -> None:
    """Draw every metric in units of its own margin, the figures behind it, and one of them over time."""
    report = rollout["report"]
    if not report:
        st.info("This stage's evidence has not been looked at yet: nothing measured is no good news.")
        return
    drawn = margins.rows(report["findings"])
    if drawn:
        st.altair_chart(charts.forest(report["findings"]), width="stretch", key="forest")
    else:
        st.info("Nothing is judged here: every metric is watched.")
    with st.expander("The figures, and what they say"):
        st.dataframe(figures_table(report), hide_index=True, width="stretch")
    if drawn and st.toggle("One metric over time", key="over_time"):
        chosen = st.selectbox("Metric", [found["name"] for found in drawn], key="metric")
        looks = api.reports(rollout["id"], stage=rollout["stage"], limit=LOOKS)
        st.altair_chart(charts.over_time(looks, chosen), width="stretch", key="band")


def figures_table(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every finding and check as a table's row, watched metrics too, worst first."""
    findings = [
        {
            "ruling": finding["ruling"] if finding["margin"] is not None else "watched",
            "metric": margins.name(finding),
            "baseline": finding["baseline"]["value"],
            "candidate": finding["candidate"]["value"],
            "n": finding["baseline"]["n"] + finding["candidate"]["n"],
            "found": finding["reason"],
        }
        for finding in report["findings"]
    ]
    checks = [
        {"ruling": check["ruling"], "metric": check["name"], "found": check["reason"]} for check in report["checks"]
    ]
    order = [*margins.WORST_FIRST, "watched"]
    return sorted(findings + checks, key=lambda told: order.index(told["ruling"]))


def _figures(rollout: Mapping[str, Any]) -> dict[str, str]:
    wanted, seen, arms = rollout["split_wanted"], rollout["split_seen"], rollout["arms"]
    shares = {
        "Candidate share": _percent(wanted["candidate_bp"]),
        "Share seen": _percent(seen["candidate_bp"]) if seen else "not yet",
        "Mirrored": _percent(wanted["mirror_bp"]),
    }
    counts = {f"n {arm}": f"{arms[arm]['folded']:,}" for arm in ARMS if arm in arms}
    stage_s = rollout["stage_elapsed_s"]
    times = {
        "In this stage": span(stage_s) if stage_s is not None else "not begun",
        "In all": span(rollout["elapsed_s"]),
    }
    return shares | counts | times


def _percent(share_bp: int) -> str:
    return f"{share_bp / BP_PER_PERCENT:g} %"
