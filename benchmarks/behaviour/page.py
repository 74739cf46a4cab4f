"""Tables as Markdown, and the page that shows them, each between two marks; nothing else of it is touched."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path(__file__).parents[2] / "docs" / "behaviour-quality.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def show(name: str, text: str) -> None:
    """Replace what stands on the page between the marks of this name.

    Raises:
        ValueError: the page has no such marks.
    """
    body = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(body):
        raise ValueError(f"{PAGE.name} has no place for {name}: expected <!-- {name} --> and <!-- /{name} -->")
    PAGE.write_text(pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", body), encoding="utf-8")
