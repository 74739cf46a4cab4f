"""Tables and sentences for people: aligned text for a terminal, or Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gatekeeper.cli._render_words import plain

NONE = "-"
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|#@!~&$]")


class SheetFormat(StrEnum):
    """Name the forms of a result that is no report."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Block:
    """Hold a heading, a table with its heads (the first column to the left, the others to the right), and sentences."""

    title: str
    heads: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()
    lines: Sequence[str] = field(default=())
    words: frozenset[str] = frozenset()


def text(blocks: Sequence[Block]) -> str:
    """Return blocks as aligned text; heads in a block's `words` stand to the left."""
    return "\n\n".join("\n".join(_text_lines(block)) for block in blocks) + "\n"


def markdown(blocks: Sequence[Block]) -> str:
    """Return blocks as GitHub-flavoured Markdown, every name in it made harmless."""
    return "\n\n".join("\n".join(_markdown_lines(block)) for block in blocks) + "\n"


def _text_lines(block: Block) -> list[str]:
    lines = [plain(block.title)] if block.title else []
    if block.rows:
        table = [block.heads, *(tuple(plain(cell) or NONE for cell in row) for row in block.rows)]
        widths = [max(len(row[column]) for row in table) for column in range(len(block.heads))]
        for row in table:
            cells = (
                cell.ljust(width) if _left(block, place) else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            lines.append("  ".join(cells).rstrip())
    return [*lines, *(f"- {plain(line)}" for line in block.lines)]


def _markdown_lines(block: Block) -> list[str]:
    lines = [f"### {_safe(block.title)}", ""] if block.title else []
    if block.rows:
        rule = ("---" if _left(block, place) else "---:" for place in range(len(block.heads)))
        lines += [f"| {' | '.join(block.heads)} |", f"|{'|'.join(rule)}|"]
        lines += [f"| {' | '.join(_safe(cell) or NONE for cell in row)} |" for row in block.rows]
    if block.rows and block.lines:
        lines.append("")
    return [*lines, *(f"- {_safe(line)}" for line in block.lines)]


def _left(block: Block, place: int) -> bool:
    return place == 0 or block.heads[place] in block.words


def _safe(cell: str) -> str:
    """Return text whose characters mean nothing to Markdown."""
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", plain(cell))


def count(number: float | None) -> str:
    """Return a number of samples with as many digits as are meant."""
    if number is None:
        return NONE
    digits = max(len(str(int(number))) - 3, 0)
    return f"{round(number, -digits):,.0f}"


def span(seconds: float | None) -> str:
    """Return a duration as people say it: `42 s`, `3.5 min`, `2.1 h`, `4.0 d`."""
    if seconds is None:
        return NONE
    for unit, size in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def share(part: float | None) -> str:
    """Return a share in percent."""
    if part is None:
        return NONE
    return f"{part:.0%}" if part in (0.0, 1.0) or 0.01 <= part <= 0.99 else f"{part:.2%}"  # noqa: PLR2004 - two digits


def amount(number: float | None, unit: str) -> str:
    """Return a harm or a margin in its unit; `share` is a rate, in percentage points."""
    if number is None:
        return NONE
    if unit == "share":
        return f"{number * 100:.3g} pp"
    return f"{number * 100:.3g} %" if unit == "ratio" else f"{number:.4g} {unit}".strip()
