"""Numbers and names of a report as people read them, safe to show anywhere."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, cast

from gatekeeper import registry
from gatekeeper.model.metric import MetricKind, MetricSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.model.finding import Effect, Finding, Report

NONE = "-"
_QUANTILE = re.compile(r"\.p\d+(\.\d+)?$")
_NOT_FOR_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain(text: str) -> str:
    """Return text on one line without control characters: names in a report may come from anywhere."""
    return "".join(char if char.isprintable() else " " for char in text)


def for_xml(text: str) -> str:
    """Return text without the characters that XML 1.0 cannot hold."""
    return _NOT_FOR_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def sentence(report: Report) -> str:
    """Return the verdict and what decides it: `Rollback: refusal_rate is up ...`."""
    return f"{report.verdict.capitalize()}: {plain(report.reasons[0]) if report.reasons else 'no reason was recorded'}"


def decided(report: Report) -> str:
    """Say when it was decided, or that it is not."""
    if report.decided_at is None:
        return "Nothing is decided yet."
    look, samples = report.decided_at.get("look"), report.decided_at.get("samples")
    return f"Decided at look {look} after {samples:,} samples." if isinstance(samples, int) else f"Decided at {look}."


def is_limit(finding: Finding) -> bool:
    """Tell whether the candidate alone is held against a bound: margin is that bound, and effect its value."""
    return finding.test.partition("-")[0].endswith("_limit")


def metric(finding: Finding) -> str:
    """Return the metric's name, and which of its two questions this is."""
    return plain(f"{finding.metric} (limit)" if is_limit(finding) else finding.metric)


def name(finding: Finding) -> str:
    """Return `metric`, or `metric [segment]`."""
    return metric(finding) if finding.segment is None else f"{metric(finding)} [{plain(finding.segment)}]"


def change(finding: Finding) -> str:
    """Return the estimated change against the baseline; a limit compares nothing."""
    return NONE if is_limit(finding) else amount(finding.effect.estimate, finding.effect.unit)


@cache
def spec(metric_name: str) -> MetricSpec | None:
    """Return what a finding's metric is; None for `extra.` metrics and for those of another version."""
    base = _QUANTILE.sub("", metric_name)
    if base not in registry.names("metrics"):
        return None
    return cast("MetricSpec", registry.load("metrics", base).SPEC)


def value(finding: Finding, number: float | None) -> str:
    """Return an arm's value in the metric's own unit."""
    known = spec(finding.metric)
    if number is None:
        return NONE
    if finding.effect.unit == "pp" or (known and known.kind is MetricKind.RATE):
        return f"{number:.2%}"
    return f"{number:,.4g}{_unit(known.unit if known else '')}"


def amount(number: float | None, unit: str, *, sign: bool = True) -> str:
    """Return a difference or a margin in its unit: `+0.40 pp`, `+3.1 %`, `+12 ms`."""
    if number is None:
        return NONE
    plus = "+" if sign else ""
    if unit == "pp":
        return f"{number * 100:{plus}.2f} pp"
    if unit == "ratio":
        return f"{number * 100:{plus}.1f} %"
    return f"{number:{plus},.4g}{_unit(unit)}"


def interval(effect: Effect) -> str:
    """Return `[lower, upper]`, open ends as a dash."""
    if effect.lower is None and effect.upper is None:
        return NONE
    return f"[{_bare(effect.lower, effect.unit)}, {_bare(effect.upper, effect.unit)}]"


def missing(finding: Finding) -> str:
    """Say how many samples are missing for a decision, or nothing."""
    return f"about {finding.samples_needed:,} more samples" if finding.samples_needed else ""


def harm_sign(finding: Finding) -> int:
    """Return 1 where more is worse and -1 where less is; where nothing tells, more is taken to be worse."""
    if finding.increase is not None:
        return 1 if finding.increase else -1
    known = spec(finding.metric)
    return 1 if known is None or known.lower_is_better else -1


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Order findings by ruling, then by how far their interval reaches towards harm, in margins."""
    return sorted(findings, key=lambda finding: (-finding.ruling.severity, -_reach(finding), name(finding)))


def _reach(finding: Finding) -> float:
    effect = finding.effect
    ends = [end * harm_sign(finding) for end in (effect.lower, effect.upper) if end is not None]
    if not ends:
        return float("inf")
    return max(ends) / (abs(finding.margin) if finding.margin else 1.0)


def _bare(number: float | None, unit: str) -> str:
    if number is None:
        return NONE
    return f"{number * 100:+.2f}" if unit in ("pp", "ratio") else f"{number:+,.4g}"


def _unit(unit: str) -> str:
    return f" {plain(unit)}" if unit and unit != "share" else ""
