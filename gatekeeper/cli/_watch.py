"""A rollout as text: head, stages with marks, shares wanted and seen, n per arm, forest and the verdict's sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.cli._plane import NONE, span
from gatekeeper.cli._render_plot import plot
from gatekeeper.cli._render_words import plain, worst_first
from gatekeeper.model.finding import Report
from gatekeeper.model.wire import from_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

MARKS = {"done": "✔", "current": "◉", "waiting": "○", "failed": "✖", "stopped": "■", "skipped": "·"}
EXIT_CODES = {"promoted": 0, "rolled_back": 1, "aborted": 3, "running": 3}
_MOST_FINDINGS = 20


def screen(shown: Mapping[str, Any]) -> str:
    """Return a rollout's screen as lines of text without control characters."""
    head = {
        "Rollout": shown["id"],
        "Service": shown["service"],
        "Policy": f"{shown['policy_name']} ({shown['policy_digest'][:12]})",
        "Candidate": f"{shown['candidate_id']} against {shown['baseline_id']}",
        "State": shown["state"] + (" (paused)" if shown["paused"] else ""),
        "Candidate's share": _share(shown, "candidate_bp"),
        "Mirrored": _share(shown, "mirror_bp"),
        "Samples": _counts(shown["arms"]),
        "Elapsed": span(shown["elapsed_s"]),
    }
    lines = [f"{name + ':':19}{plain(str(value))}" for name, value in head.items()]
    lines += ["", *(_stage(stage, shown) for stage in shown["stages"])]
    if shown["report"]:
        findings = worst_first(from_dict(Report, shown["report"]).findings)
        lines += ["", *plot(findings, most=_MOST_FINDINGS)]
    return "\n".join([*lines, "", plain(shown["sentence"])])


def _share(shown: Mapping[str, Any], field: str) -> str:
    wanted, seen = shown["split_wanted"], shown["split_seen"]
    told = f"{seen[field] / 100:g} %" if seen else "not yet"
    return f"{wanted[field] / 100:g} % wanted, {told} seen"


def _counts(arms: Mapping[str, Any]) -> str:
    return ", ".join(f"{arm} {counts['folded']:,}" for arm, counts in arms.items()) or NONE


def _stage(stage: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    size = {
        "warmup": f"{stage['requests']} requests",
        "shadow": f"{stage['mirror_bp'] / 100:g} % mirrored",
        "canary": f"{stage['weight_bp'] / 100:g} %",
        "bake": span(stage["wait_s"]),
    }.get(stage["kind"], "")
    notes = ["control"] if stage["control"] else []
    if stage["needs_approval"]:
        notes.append("approved" if shown["approved_stage"] == stage["index"] else "needs approval")
    if stage["state"] == "current" and shown["stage_elapsed_s"] is not None:
        limit = f" of {span(stage['max_wait_s'])}" if stage["max_wait_s"] else ""
        notes.append(span(shown["stage_elapsed_s"]) + limit)
    told = f"  {', '.join(notes)}" if notes else ""
    return f" {MARKS[stage['state']]} {stage['index'] + 1}. {stage['kind']:7} {size}{told}"
