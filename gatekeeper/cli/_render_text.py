"""A report for a terminal: the verdict first, then the evidence, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.cli import _render_corrections as corrections
from gatekeeper.cli import _render_words as words
from gatekeeper.cli import _sheet
from gatekeeper.cli._render_gate import text_blocks
from gatekeeper.cli._render_plot import plot
from gatekeeper.model.finding import Ruling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.model.finding import Finding, Report

_HEAD = ("metric", "segment", "baseline", "candidate", "change", "interval", "margin", "ruling", "n")
_RIGHT = frozenset({"baseline", "candidate", "change", "margin", "n"})


def text(report: Report, *, title: str = "") -> str:
    """Return the report as plain text, without colours."""
    findings = words.worst_first(report.findings)
    blocks = [[words.sentence(report), *([words.plain(title)] if title else []), words.decided(report)]]
    blocks.append([f"- {words.plain(reason)}" for reason in report.reasons[1:]])
    blocks.append(plot(findings))
    blocks.append(table(findings) if findings else ["No findings."])
    blocks.append([_why(finding) for finding in findings if finding.ruling is not Ruling.PASS and finding.reason])
    blocks += [[_sheet.text([corrections.block(one)]).rstrip("\n")] for one in report.corrections]
    blocks += text_blocks(report)
    blocks.append([f"check {check.name}: {check.ruling}: {words.plain(check.reason)}" for check in report.checks])
    blocks.append([f"judge {report.judge}, policy {report.policy_digest[:12]}"])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def table(findings: Sequence[Finding]) -> list[str]:
    """Return the findings as aligned lines under a heading."""
    rows = [_HEAD, *(_cells(finding) for finding in findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return ["  ".join(map(_pad, row, _HEAD, widths)).rstrip() for row in rows]


def _pad(cell: str, head: str, width: int) -> str:
    return cell.rjust(width) if head in _RIGHT else cell.ljust(width)


def _cells(finding: Finding) -> tuple[str, ...]:
    effect = finding.effect
    counts = (finding.baseline.n, finding.candidate.n)
    return (
        words.metric(finding),
        "all" if finding.segment is None else words.plain(finding.segment),
        words.value(finding, finding.baseline.value),
        words.value(finding, finding.candidate.value),
        words.change(finding),
        words.interval(effect),
        words.amount(finding.margin, effect.unit, sign=False),
        str(finding.ruling),
        f"{counts[0]:,}" if counts[0] == counts[1] else f"{counts[0]:,}/{counts[1]:,}",
    )


def _why(finding: Finding) -> str:
    more = words.missing(finding)
    return f"{words.name(finding)}: {words.plain(finding.reason)}" + (f" ({more})" if more else "")
