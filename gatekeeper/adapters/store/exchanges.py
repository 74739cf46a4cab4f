"""What gateways recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased

from gatekeeper.adapters._pairs import view
from gatekeeper.adapters.store.tables import ExchangeRow, SampleRow
from gatekeeper.errors import NotFoundError
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.wire import from_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from gatekeeper.adapters.store.work import Work


class SqlExchanges:
    """Keep what gateways recorded; an exchange's id is unique, so that a batch sent twice is stored once."""

    def __init__(self, work: Work) -> None:
        """Work in this transaction."""
        self._work = work

    def add(self, exchanges: Sequence[Exchange]) -> Sequence[int]:
        """Store those not yet known, in order; return the row numbers of the new ones."""
        if not exchanges:
            return []
        rows = [{"id": one.id, "rollout_id": one.rollout_id, "body": to_dict(one)} for one in exchanges]
        insert = self._work.insert(ExchangeRow).on_conflict_do_nothing(index_elements=["id"])
        return sorted(self._work.run(insert.returning(ExchangeRow.row), rows).scalars())

    def get(self, rows: Sequence[int]) -> Sequence[Exchange]:
        """Return the exchanges of these row numbers, in that order; raises NotFoundError."""
        bodies = self._bodies(rows)
        return [from_dict(Exchange, bodies[row]) for row in rows]

    def pairs(self, rollout_id: str, limit: int) -> Sequence[dict[str, Any]]:
        """Return mirrored pairs, those whose arms differ first, and the newest first among equals.

        Each is {pair_id, stage, differs: [fields], baseline, candidate}; an arm is its exchange with its `sample` and
        `labels`.
        """
        found = self._pairs(rollout_id, limit, differing=True)
        if len(found) < limit:
            found += self._pairs(rollout_id, limit - len(found), differing=False)
        bodies = self._bodies([row for pair in found for row in (pair[2], pair[6])])
        return [
            view(pair_id, stage, _half(bodies, *halves[:4]), _half(bodies, *halves[4:]))
            for pair_id, stage, *halves in found
        ]

    def _pairs(self, rollout_id: str, limit: int, *, differing: bool) -> list[Row[*tuple[Any, ...]]]:
        base, cand = aliased(SampleRow), aliased(SampleRow)
        halves = [(half.exchange_row, half.body, half.labels, half.outcome) for half in (base, cand)]
        same = and_(cand.rollout_id == base.rollout_id, cand.pair_id == base.pair_id, cand.arm == Arm.CANDIDATE.value)
        return list(
            self._work.all(
                select(base.pair_id, base.stage, *halves[0], *halves[1])
                .join(cand, same)
                .where(base.rollout_id == rollout_id, base.arm == Arm.BASELINE.value, base.pair_id.is_not(None))
                .where(base.outcome != cand.outcome if differing else base.outcome == cand.outcome)
                .order_by(base.row.desc())
                .limit(limit)
            )
        )

    def _bodies(self, rows: Sequence[int]) -> dict[int, dict[str, Any]]:
        bodies: dict[int, dict[str, Any]] = {}
        for some in self._work.parts(rows):
            query = select(ExchangeRow.row, ExchangeRow.body).where(ExchangeRow.row.in_(some))
            bodies.update({row.row: row.body for row in self._work.all(query)})
        missing = [row for row in rows if row not in bodies]
        if missing:
            raise NotFoundError(f"no exchange in row {missing[0]} ({len(missing)} of {len(rows)} rows are missing)")
        return bodies


def _half(
    bodies: dict[int, dict[str, Any]], row: int, sample: dict[str, Any], labels: dict[str, Any], outcome: str
) -> dict[str, Any]:
    return {"exchange": bodies[row], "sample": sample, "labels": labels, "outcome": outcome}
