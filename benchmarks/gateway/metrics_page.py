"""What a gateway says that it counted."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from proxies import Server

_LINE = re.compile(r"^gatekeeper_gateway_(\w+?)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_RESULT = re.compile(r'result="(\w+)"')


def counts(server: Server, family: str) -> Counter[str]:
    """Return a family's values by their label `result`, over all services; families end in `_total` or not."""
    page = httpx.get(f"{server.tree.url}/metrics").text
    found: Counter[str] = Counter()
    for name, labels, value in _LINE.findall(page):
        if name == family:
            result = _RESULT.search(labels)
            found[result[1] if result else ""] += int(float(value))
    return found


def unrecorded(server: Server) -> dict[str, int]:
    """Return the exchanges that were dropped on their way to the control plane, by reason; only those that happened."""
    dropped = counts(server, "recorder_total") + counts(server, "spool_total")
    return {what: count for what, count in dropped.items() if what.startswith("dropped_") and count}
