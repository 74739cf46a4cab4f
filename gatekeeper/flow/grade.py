"""Scoring: exchanges in, samples out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.flow.score import scored as score

if TYPE_CHECKING:
    from gatekeeper.ports import Scorers, Unit


def grade(unit: Unit, payload: dict[str, Any], own: Scorers | None = None) -> None:
    """Score the exchanges of a job (`rows`: exchange rows); one that was scored before is left as it is.

    own: users' own scorers.
    """
    rows = payload["rows"]
    scored = []
    for row, exchange in zip(rows, unit.exchanges.get(rows), strict=True):
        sample, labels = score(exchange, own)
        scored.append((row, exchange, sample, labels))
    unit.samples.add(scored)
