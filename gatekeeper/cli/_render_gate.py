"""What a gate tells beside its findings, in the words of each form: pairs to read, and the load ramp."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gatekeeper.cli import _render_words as words
from gatekeeper.model.gate import GateReport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.model.finding import Report
    from gatekeeper.model.gate import LoadStep, TellingPair

_HEAD = ("in flight", "arm", "requests", "failed", "requests/s", "tokens/s", "ttft p50", "p95 ms", "tpot p50", "p95 ms")
_TICKS = re.compile("`+")


def text_blocks(report: Report) -> list[list[str]]:
    """Return blocks of lines for a terminal; none for a report that is no gate's."""
    if not isinstance(report, GateReport):
        return []
    blocks = [
        [
            f"{pair.metric}, sample {words.plain(pair.sample)}",
            f"  prompt:    {_line(pair.prompt)}",
            f"  baseline:  {_line(pair.baseline)}",
            f"  candidate: {_line(pair.candidate)}",
        ]
        for pair in report.pairs
    ]
    if report.profile:
        rows = [_HEAD, *map(_cells, report.profile)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        blocks.append(["Load, each arm by itself (shown, never decides):", *lines])
    return blocks


def markdown_lines(report: Report) -> list[str]:
    """Return lines of Markdown; answers stand in code blocks, where they mean nothing."""
    if not isinstance(report, GateReport):
        return []
    lines: list[str] = []
    if report.pairs:
        lines += ["", f"<details><summary>{len(report.pairs)} telling pairs</summary>", ""]
        for pair in report.pairs:
            lines += _pair(pair)
        lines += ["</details>"]
    if report.profile:
        lines += ["", "**Load, each arm by itself** (shown, never decides)", "", *_table(report.profile)]
    return lines


def junit_text(report: Report) -> str:
    """Return what has no test case of its own, for the suite's output; "" for nothing."""
    return "\n\n".join("\n".join(block) for block in text_blocks(report))


def _pair(pair: TellingPair) -> list[str]:
    name = words.plain(pair.sample).replace("`", "'")
    lines = [f"`{pair.metric}`, sample `{name}`", ""]
    for title, said in (("prompt", pair.prompt), ("baseline", pair.baseline), ("candidate", pair.candidate)):
        lines += [f"{title}:", *_fenced(said), ""]
    return lines


def _fenced(said: str) -> list[str]:
    """Return text in a fence that is longer than any run of backticks within."""
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(said)), default=0))
    return [f"{fence}text", *(words.plain(line) for line in said.splitlines()), fence]


def _table(profile: Sequence[LoadStep]) -> list[str]:
    rows = [_HEAD, *map(_cells, profile)]
    return [
        f"| {' | '.join(rows[0])} |",
        f"|{'---:|' * len(_HEAD)}",
        *(f"| {' | '.join(row)} |" for row in rows[1:]),
    ]


def _cells(step: LoadStep) -> tuple[str, ...]:
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(step.failed.items()))
    figures = (
        step.requests_per_s,
        step.tokens_per_s,
        step.ttft_p50_ms,
        step.ttft_p95_ms,
        step.tpot_p50_ms,
        step.tpot_p95_ms,
    )
    told = (words.NONE if figure is None else f"{figure:,.4g}" for figure in figures)
    return str(step.concurrency), str(step.arm), str(step.requests), words.plain(kinds) or "0", *told


def _line(said: str) -> str:
    return words.plain(said) or words.NONE
