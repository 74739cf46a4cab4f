"""Making a report fit where it is shown."""

from __future__ import annotations

_TOLD = "\n\nThe report was too long for this place: its JSON has the rest.\n"


def shortened(markdown: str, most_bytes: int) -> str:
    """Return Markdown of at most so many bytes: whole, or without what is folded away, or its first lines."""
    if len(markdown.encode()) <= most_bytes:
        return markdown
    kept: list[str] = []
    room = most_bytes - len(_TOLD.encode())
    for line in markdown.partition("<details>")[0].splitlines(keepends=True):
        room -= len(line.encode())
        if room < 0:
            break
        kept.append(line)
    return "".join(kept).rstrip() + _TOLD
