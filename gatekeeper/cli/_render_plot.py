"""A forest plot in characters: each finding's interval in units of its own margin, harm to the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.cli._render_words import harm_sign, name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.model.finding import Finding

_LOW, _HIGH, _PER_MARGIN = -2, 3, 8
_WIDTH = (_HIGH - _LOW) * _PER_MARGIN + 1
_ZERO, _MARGIN = -_LOW * _PER_MARGIN, (1 - _LOW) * _PER_MARGIN


def plot(findings: Sequence[Finding], *, most: int = 40) -> list[str]:
    """Return the plot's lines, in the findings' order; those without a margin are left out.

    Beyond `most` findings a last line counts the rest.
    """
    drawn = [finding for finding in findings if finding.margin is not None]
    if not drawn:
        return []
    names = max(len(name(finding)) for finding in drawn[:most])
    head = [" "] * _WIDTH
    head[: len("better")] = "better"
    head[_ZERO] = "0"
    head[_MARGIN - 3 : _MARGIN + 3] = "margin"
    head[-len("worse") :] = "worse"
    lines = [f"{'':{names}}  {''.join(head)}"]
    lines += [f"{name(finding):{names}}  {_row(finding)}  {finding.ruling}" for finding in drawn[:most]]
    if len(drawn) > most:
        lines.append(f"... and {len(drawn) - most:,} more")
    return lines


def _row(finding: Finding) -> str:
    cells = [" "] * _WIDTH
    cells[_MARGIN] = "┊" if finding.margin else " "
    cells[_ZERO] = "│"
    effect, sign = finding.effect, harm_sign(finding)
    if effect.estimate is None and effect.lower is None and effect.upper is None:
        return "".join(cells[:_ZERO]) + "│ no data".ljust(_WIDTH - _ZERO)
    ends = [effect.lower, effect.upper][::sign]
    unit = abs(finding.margin or 0.0) or max(abs(end or 0.0) for end in (*ends, effect.estimate)) or 1.0
    left = _column(ends[0], sign / unit, open_at=0)
    right = _column(ends[1], sign / unit, open_at=_WIDTH - 1)
    for column in range(max(left, 0), min(right, _WIDTH - 1) + 1):
        cells[column] = "─"
    _end(cells, left, "├", "◄", "►")
    _end(cells, right, "┤", "◄", "►")
    if effect.estimate is not None:
        cells[min(max(_column(effect.estimate, sign / unit, open_at=0), 0), _WIDTH - 1)] = "●"
    return "".join(cells)


def _column(number: float | None, scale: float, *, open_at: int) -> int:
    """Return the column of a number, which may lie outside; an open end lies just outside its side."""
    if number is None:
        return open_at - 1 if open_at == 0 else open_at + 1
    clipped = min(max(number * scale, _LOW - 1.0), _HIGH + 1.0)
    return round((clipped - _LOW) * _PER_MARGIN)


def _end(cells: list[str], column: int, inside: str, left: str, right: str) -> None:
    if column < 0:
        cells[0] = left
    elif column >= _WIDTH:
        cells[-1] = right
    else:
        cells[column] = inside
