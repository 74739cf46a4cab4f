"""Exchanges, samples, tallies and reports, in memory."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters._pairs import outcome, view
from gatekeeper.adapters.memory_shelf import StoredSample
from gatekeeper.errors import NotFoundError
from gatekeeper.model.arm import Arm
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatekeeper.adapters.memory_shelf import Shelves
    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.sample import Sample


class MemoryExchanges:
    """Keep what gateways recorded; an exchange's id is unique, so that a batch sent twice is stored once."""

    def __init__(self, shelves: Shelves) -> None:
        """Work on these shelves."""
        self._shelves = shelves

    def add(self, exchanges: Sequence[Exchange]) -> Sequence[int]:
        """Store those not yet known, in order; return the row numbers of the new ones."""
        rows = []
        for exchange in exchanges:
            if exchange.id not in self._shelves.exchange_rows:
                row = len(self._shelves.exchanges) + 1
                self._shelves.exchanges[row] = exchange
                self._shelves.exchange_rows[exchange.id] = row
                rows.append(row)
        return rows

    def get(self, rows: Sequence[int]) -> Sequence[Exchange]:
        """Return the exchanges of these row numbers, in that order; raises NotFoundError."""
        missing = [row for row in rows if row not in self._shelves.exchanges]
        if missing:
            raise NotFoundError(f"no exchange in row {missing[0]} ({len(missing)} of {len(rows)} rows are missing)")
        return [self._shelves.exchanges[row] for row in rows]

    def pairs(self, rollout_id: str, limit: int) -> Sequence[dict[str, Any]]:
        """Return mirrored pairs, those whose arms differ first, and the newest first among equals.

        Each is {pair_id, stage, differs: [fields], baseline, candidate}; an arm is its exchange with its `sample` and
        `labels`.
        """
        halves: dict[str, dict[Arm, StoredSample]] = {}
        for stored in self._shelves.samples.values():
            if stored.exchange.rollout_id == rollout_id and stored.sample.pair_id is not None:
                halves.setdefault(stored.sample.pair_id, {})[stored.sample.arm] = stored
        whole = [
            (pair_id, arms[Arm.BASELINE], arms[Arm.CANDIDATE])
            for pair_id, arms in halves.items()
            if Arm.BASELINE in arms and Arm.CANDIDATE in arms
        ]
        whole.sort(key=lambda pair: (outcome(pair[1].sample) == outcome(pair[2].sample), -pair[1].row))
        return [view(name, base.exchange.stage, _half(base), _half(cand)) for name, base, cand in whole[:limit]]


class MemorySamples:
    """Keep scored exchanges until they are folded into tallies, and after for reading."""

    def __init__(self, shelves: Shelves) -> None:
        """Work on these shelves."""
        self._shelves = shelves

    def add(self, rows: Sequence[tuple[int, Exchange, Sample, dict[str, Any]]]) -> None:
        """Store (exchange row, exchange, sample, labels); one already stored for that exchange row is left as it is."""
        shelves = self._shelves
        for exchange_row, exchange, sample, labels in rows:
            if exchange_row not in shelves.sampled:
                row = len(shelves.samples) + 1
                shelves.samples[row] = StoredSample(row=row, exchange=exchange, sample=sample, labels=labels)
                shelves.sampled[exchange_row] = row
                shelves.waiting((exchange.rollout_id, exchange.stage, exchange.epoch))[row] = None

    def unfolded(self, rollout_id: str, stage: int, epoch: int, limit: int) -> Sequence[tuple[int, Sample]]:
        """Return (row, sample) not yet folded, in the order in which they were stored."""
        waiting = list(self._shelves.waiting((rollout_id, stage, epoch)).keys())[:limit]
        return [(row, self._shelves.samples[row].sample) for row in waiting]

    def mark_folded(self, rows: Sequence[int], *, dropped: bool = False) -> None:
        """Mark rows as folded, or as left out; never folded again."""
        for row in rows:
            stored = self._shelves.samples.get(row)
            if stored is not None and stored.state == "new":
                self._shelves.samples[row] = replace(stored, state="dropped" if dropped else "folded")
                exchange = stored.exchange
                del self._shelves.waiting((exchange.rollout_id, exchange.stage, exchange.epoch))[row]

    def extent(self, rollout_id: str, stage: int | None = None) -> tuple[int, int] | None:
        """Return the first and the last row of a stage's samples, or of all stages'; None where there are none."""
        rows = [stored.row for stored in self._of(rollout_id, stage)]
        return (min(rows), max(rows)) if rows else None

    def page(
        self, rollout_id: str, stage: int | None, first: int, last: int, limit: int
    ) -> Sequence[tuple[int, int, Sample]]:
        """Return (row, stage, sample) of at most `limit` rows from `first` to `last`, lowest first."""
        inside = (one for one in self._of(rollout_id, stage) if first <= one.row <= last)
        return [(one.row, one.exchange.stage, one.sample) for one in islice(inside, limit)]

    def _of(self, rollout_id: str, stage: int | None) -> Iterator[StoredSample]:
        """Yield a stage's samples, or those of all stages that compare, in the order of their rows."""
        for stored in self._shelves.samples.values():
            at = stored.exchange.stage
            if stored.exchange.rollout_id == rollout_id and (at >= 0 if stage is None else at == stage):
                yield stored

    def counts(self, rollout_id: str) -> dict[str, Any]:
        """Return {"stages": {stage: {arm: {"stored", "folded", "dropped"}}}, "unscored": int}; stage is an int."""
        stages: dict[int, dict[str, dict[str, int]]] = {}
        scored = 0
        for stored in self._shelves.samples.values():
            if stored.exchange.rollout_id == rollout_id:
                arms = stages.setdefault(stored.exchange.stage, {})
                counted = arms.setdefault(stored.sample.arm.value, {"stored": 0, "folded": 0, "dropped": 0})
                counted["stored"] += 1
                scored += 1
                if stored.state != "new":
                    counted[stored.state] += 1
        recorded = sum(1 for exchange in self._shelves.exchanges.values() if exchange.rollout_id == rollout_id)
        return {"stages": stages, "unscored": recorded - scored}


class MemoryTallies:
    """Keep a stage's mergeable evidence, and its reports over the looks."""

    def __init__(self, shelves: Shelves) -> None:
        """Work on these shelves."""
        self._shelves = shelves

    def get(self, rollout_id: str, stage: int, epoch: int) -> dict[str, Any] | None:
        """Return the evidence's JSON; None before the first fold."""
        return self._shelves.tallies.get((rollout_id, stage, epoch))

    def put(self, rollout_id: str, stage: int, epoch: int, body: dict[str, Any]) -> None:
        """Replace the evidence's JSON."""
        self._shelves.tallies[rollout_id, stage, epoch] = body

    def put_report(self, rollout_id: str, stage: int, epoch: int, look: int, ts: float, body: dict[str, Any]) -> None:
        """Keep a look's report, for the picture over time; the same look again replaces it."""
        report = {"stage": stage, "epoch": epoch, "look": look, "ts": ts, "report": body}
        self._shelves.reports[rollout_id, stage, epoch, look] = report

    def reports(self, rollout_id: str, stage: int | None = None, limit: int = 200) -> Sequence[dict[str, Any]]:
        """Return reports, newest first: {stage, epoch, look, ts, report}."""
        kept = [report for key, report in self._shelves.reports.items() if key[0] == rollout_id]
        return [report for report in reversed(kept) if stage is None or report["stage"] == stage][:limit]


def _half(stored: StoredSample) -> dict[str, Any]:
    return {
        "exchange": to_dict(stored.exchange),
        "sample": to_dict(stored.sample),
        "labels": stored.labels,
        "outcome": outcome(stored.sample),
    }
