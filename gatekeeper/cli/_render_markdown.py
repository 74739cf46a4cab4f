"""A report for a job summary or a pull-request comment: the verdict line, what changed, the rest folded away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gatekeeper.cli import _render_corrections as corrections
from gatekeeper.cli import _render_words as words
from gatekeeper.cli import _sheet
from gatekeeper.cli._render_gate import markdown_lines
from gatekeeper.model.finding import Ruling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.model.finding import Finding, Report

_MOST_ROWS = 500
"""Keeps a summary far below the 1 MiB that CI systems take."""
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|#@!~&$]")
_HEAD = "| metric | segment | baseline | candidate | change | interval | margin | ruling | n |"
_RULE = "|---|---|---:|---:|---:|---|---:|---|---:|"


def markdown(report: Report, *, title: str = "") -> str:
    """Return the report as GitHub-flavoured Markdown, every name in it made harmless."""
    findings = words.worst_first(report.findings)
    changed = [finding for finding in findings if _changed(finding)]
    verdict, _, reason = words.sentence(report).partition(": ")
    lines = [
        f"### gatekeeper: {_safe(title)}" if title else "### gatekeeper",
        "",
        f"**{verdict}**: {_safe(reason)}",
        "",
    ]
    lines += [f"- {_safe(other)}" for other in report.reasons[1:]]
    if changed:
        lines += ["", "**Changed or undecided**", "", *_table(changed)]
    lines += markdown_lines(report)
    if findings:
        lines += ["", f"<details><summary>All {len(findings):,} findings</summary>", "", *_table(findings), ""]
        lines += [_why(finding) for finding in findings[:_MOST_ROWS] if finding.reason]
        lines += ["", "</details>"]
    for one in report.corrections:
        lines += ["", _sheet.markdown([corrections.block(one)]).rstrip("\n")]
    if report.checks:
        lines += [
            "",
            *(f"- check `{_code(check.name)}`: {check.ruling}: {_safe(check.reason)}" for check in report.checks),
        ]
    lines += [
        "",
        f"<sub>{words.decided(report)} Judge {_safe(report.judge)}, policy `{report.policy_digest[:12]}`.</sub>",
    ]
    return "\n".join(lines) + "\n"


def _changed(finding: Finding) -> bool:
    """Tell whether a finding is not a pass, or is one whose interval excludes no change."""
    effect = finding.effect
    if finding.ruling is not Ruling.PASS:
        return True
    return (effect.lower is not None and effect.lower > 0) or (effect.upper is not None and effect.upper < 0)


def _table(findings: Sequence[Finding]) -> list[str]:
    lines = [_HEAD, _RULE, *(_row(finding) for finding in findings[:_MOST_ROWS])]
    if len(findings) > _MOST_ROWS:
        lines += ["", f"... and {len(findings) - _MOST_ROWS:,} more"]
    return lines


def _row(finding: Finding) -> str:
    effect = finding.effect
    cells = (
        f"`{_code(words.metric(finding))}`",
        "all" if finding.segment is None else f"`{_code(finding.segment)}`",
        words.value(finding, finding.baseline.value),
        words.value(finding, finding.candidate.value),
        words.change(finding),
        words.interval(effect),
        words.amount(finding.margin, effect.unit, sign=False),
        f"**{finding.ruling}**" if finding.ruling is Ruling.FAIL else str(finding.ruling),
        f"{finding.baseline.n:,} / {finding.candidate.n:,}",
    )
    return f"| {' | '.join(cells)} |"


def _why(finding: Finding) -> str:
    more = words.missing(finding)
    return f"- `{_code(words.name(finding))}`: {_safe(finding.reason)}" + (f" ({more})" if more else "")


def _safe(text: str) -> str:
    """Return text whose characters mean nothing to Markdown: no markup, no link, no mention."""
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", words.plain(text))


def _code(text: str) -> str:
    """Return text for a code span in a table."""
    return words.plain(text).replace("`", "'").replace("|", "\\|")
