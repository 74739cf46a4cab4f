"""Scored exchanges, and the tallies and reports they become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select, update

from gatekeeper.adapters._pairs import outcome
from gatekeeper.adapters.store.tables import ExchangeRow, ReportRow, SampleRow, TallyRow
from gatekeeper.model.sample import Sample
from gatekeeper.model.wire import from_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from gatekeeper.adapters.store.work import Work
    from gatekeeper.model.exchange import Exchange

_NEW, _FOLDED, _DROPPED = 0, 1, 2


class SqlSamples:
    """Keep scored exchanges until they are folded into tallies, and after for reading."""

    def __init__(self, work: Work) -> None:
        """Work in this transaction."""
        self._work = work

    def add(self, rows: Sequence[tuple[int, Exchange, Sample, dict[str, Any]]]) -> None:
        """Store (exchange row, exchange, sample, labels); one already stored for that exchange row is left as it is."""
        values = [
            {
                "exchange_row": row,
                "rollout_id": exchange.rollout_id,
                "stage": exchange.stage,
                "epoch": exchange.epoch,
                "arm": sample.arm.value,
                "pair_id": sample.pair_id,
                "state": _NEW,
                "outcome": outcome(sample),
                "body": to_dict(sample),
                "labels": labels,
            }
            for row, exchange, sample, labels in rows
        ]
        if values:
            insert = self._work.insert(SampleRow).on_conflict_do_nothing(index_elements=["exchange_row"])
            self._work.run(insert, values)

    def unfolded(self, rollout_id: str, stage: int, epoch: int, limit: int) -> Sequence[tuple[int, Sample]]:
        """Return (row, sample) not yet folded, in the order in which they were stored."""
        found = self._work.all(
            select(SampleRow.row, SampleRow.body)
            .where(SampleRow.rollout_id == rollout_id, SampleRow.stage == stage, SampleRow.epoch == epoch)
            .where(SampleRow.state == _NEW)
            .order_by(SampleRow.row)
            .limit(limit)
        )
        return [(row, from_dict(Sample, body)) for row, body in found]

    def mark_folded(self, rows: Sequence[int], *, dropped: bool = False) -> None:
        """Mark rows as folded, or as left out; never folded again."""
        for some in self._work.parts(rows):
            statement = update(SampleRow).where(SampleRow.row.in_(some), SampleRow.state == _NEW)
            self._work.run(statement.values(state=_DROPPED if dropped else _FOLDED))

    def extent(self, rollout_id: str, stage: int | None = None) -> tuple[int, int] | None:
        """Return the first and the last row of a stage's samples, or of all stages'; None where there are none."""
        query = select(func.min(SampleRow.row), func.max(SampleRow.row))
        found = self._work.first(query.where(SampleRow.rollout_id == rollout_id, _of_stage(stage)))
        return None if found is None or found[0] is None else (found[0], found[1])

    def page(
        self, rollout_id: str, stage: int | None, first: int, last: int, limit: int
    ) -> Sequence[tuple[int, int, Sample]]:
        """Return (row, stage, sample) of at most `limit` rows from `first` to `last`, lowest first.

        An index gives a rollout's rows in order: each is walked once over all pages.
        """
        found = self._work.all(
            select(SampleRow.row, SampleRow.stage, SampleRow.body)
            .where(SampleRow.rollout_id == rollout_id, SampleRow.row.between(first, last), _of_stage(stage))
            .order_by(SampleRow.row)
            .limit(limit)
        )
        return [(row, of, from_dict(Sample, body)) for row, of, body in found]

    def counts(self, rollout_id: str) -> dict[str, Any]:
        """Return {"stages": {stage: {arm: {"stored", "folded", "dropped"}}}, "unscored": int}; stage is an int."""
        found = self._work.all(
            select(
                SampleRow.stage,
                SampleRow.arm,
                func.count(),
                func.sum(case((SampleRow.state == _FOLDED, 1), else_=0)),
                func.sum(case((SampleRow.state == _DROPPED, 1), else_=0)),
            )
            .where(SampleRow.rollout_id == rollout_id)
            .group_by(SampleRow.stage, SampleRow.arm)
            .order_by(SampleRow.stage, SampleRow.arm)
        )
        stages: dict[int, dict[str, dict[str, int]]] = {}
        for stage, arm, stored, folded, dropped in found:
            stages.setdefault(stage, {})[arm] = {"stored": stored, "folded": int(folded), "dropped": int(dropped)}
        scored = sum(row[2] for row in found)
        recorded = self._work.first(
            select(func.count()).select_from(ExchangeRow).where(ExchangeRow.rollout_id == rollout_id)
        )
        return {"stages": stages, "unscored": (recorded[0] if recorded else 0) - scored}


def _of_stage(stage: int | None) -> ColumnElement[bool]:
    """Return the condition of one stage, or of all; samples of rescued requests belong to none."""
    return SampleRow.stage >= 0 if stage is None else SampleRow.stage == stage


class SqlTallies:
    """Keep a stage's mergeable evidence, and its reports over the looks."""

    def __init__(self, work: Work) -> None:
        """Work in this transaction."""
        self._work = work

    def get(self, rollout_id: str, stage: int, epoch: int) -> dict[str, Any] | None:
        """Return the evidence's JSON; None before the first fold."""
        query = select(TallyRow.body).where(
            TallyRow.rollout_id == rollout_id, TallyRow.stage == stage, TallyRow.epoch == epoch
        )
        found = self._work.first(query)
        return None if found is None else found.body

    def put(self, rollout_id: str, stage: int, epoch: int, body: dict[str, Any]) -> None:
        """Replace the evidence's JSON."""
        values = {"rollout_id": rollout_id, "stage": stage, "epoch": epoch, "body": body}
        self._work.put(TallyRow, values, ("rollout_id", "stage", "epoch"))

    def put_report(self, rollout_id: str, stage: int, epoch: int, look: int, ts: float, body: dict[str, Any]) -> None:
        """Keep a look's report, for the picture over time; the same look again replaces it."""
        values = {"rollout_id": rollout_id, "stage": stage, "epoch": epoch, "look": look, "ts": ts, "body": body}
        self._work.put(ReportRow, values, ("rollout_id", "stage", "epoch", "look"))

    def reports(self, rollout_id: str, stage: int | None = None, limit: int = 200) -> Sequence[dict[str, Any]]:
        """Return reports, newest first: {stage, epoch, look, ts, report}."""
        query = select(ReportRow.stage, ReportRow.epoch, ReportRow.look, ReportRow.ts, ReportRow.body.label("report"))
        query = query.where(ReportRow.rollout_id == rollout_id).order_by(ReportRow.row.desc()).limit(limit)
        if stage is not None:
            query = query.where(ReportRow.stage == stage)
        return [dict(row._mapping) for row in self._work.all(query)]  # noqa: SLF001 - a row's public mapping
