"""Taking in what gateways recorded: store each exchange once, and owe its scoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.model.exchange import Exchange
    from gatekeeper.ports import Unit

ROWS_PER_JOB = 200
"""Exchanges scored by one job: small enough to repeat after a crash, large enough to be cheap."""

SCORE = "score"
"""The kind of a scoring job."""


def accept(unit: Unit, exchanges: Sequence[Exchange]) -> int:
    """Store exchanges not yet known and add their scoring jobs; return how many were new.

    A batch sent twice is stored and scored once (the exchange's id is unique).
    """
    rows = unit.exchanges.add(exchanges)
    for start in range(0, len(rows), ROWS_PER_JOB):
        unit.jobs.add(SCORE, {"rows": list(rows[start : start + ROWS_PER_JOB])})
    return len(rows)
