"""Scoring: exchanges in, samples out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.metrics._scoring import score_exchange

if TYPE_CHECKING:
    from gatekeeper.ports import Unit


def grade(unit: Unit, payload: dict[str, Any]) -> None:
    """Score the exchanges of a job (`rows`: exchange rows); one that was scored before is left as it is."""
    rows = payload["rows"]
    scored = []
    for row, exchange in zip(rows, unit.exchanges.get(rows), strict=True):
        sample, labels = score_exchange(exchange)
        scored.append((row, exchange, sample, labels))
    unit.samples.add(scored)
