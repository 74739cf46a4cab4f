"""Effects owed to the world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from gatekeeper.adapters.store.tables import OutboxRow
from gatekeeper.model.action import OutboxItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.store.work import Work

LEASE_S = 60.0
"""How long an item handed out is kept from others; after a crash it is handed out again."""

STATES = ("pending", "done", "dead")


class SqlOutbox:
    """Keep effects owed to the world, each once by its key."""

    def __init__(self, work: Work) -> None:
        """Work in this transaction."""
        self._work = work

    def add(self, items: Sequence[OutboxItem]) -> None:
        """Insert items whose key is new."""
        rows = [
            {
                "kind": item.kind,
                "key": item.key,
                "body": item.body,
                "state": "pending",
                "attempt": item.attempt,
                "next_at": item.next_at,
                "error": "",
            }
            for item in items
        ]
        if rows:
            self._work.run(self._work.insert(OutboxRow).on_conflict_do_nothing(), rows)

    def due(self, limit: int) -> Sequence[OutboxItem]:
        """Return items to be tried now, oldest first; they are leased for 60 s."""
        now = self._work.clock.now()
        query = (
            select(OutboxRow.id, OutboxRow.kind, OutboxRow.key, OutboxRow.body, OutboxRow.attempt, OutboxRow.next_at)
            .where(OutboxRow.state == "pending", OutboxRow.next_at <= now)
            .order_by(OutboxRow.next_at, OutboxRow.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        items = [OutboxItem(**row._mapping) for row in self._work.all(query)]  # noqa: SLF001 - a row's public mapping
        if items:
            leased = update(OutboxRow).where(OutboxRow.id.in_([item.id for item in items]))
            self._work.run(leased.values(next_at=now + LEASE_S))
        return items

    def done(self, item_id: int) -> None:
        """Mark delivered."""
        self._work.run(update(OutboxRow).where(OutboxRow.id == item_id).values(state="done", error=""))

    def retry(self, item_id: int, next_at: float | None, error: str) -> None:
        """Keep for another try at `next_at`; None: dead, kept for replay by hand."""
        again = {"state": "dead"} if next_at is None else {"next_at": next_at}
        statement = update(OutboxRow).where(OutboxRow.id == item_id, OutboxRow.state == "pending")
        self._work.run(statement.values(attempt=OutboxRow.attempt + 1, error=error, **again))

    def counts(self) -> dict[str, int]:
        """Return the number of items by state."""
        found = self._work.all(select(OutboxRow.state, func.count()).group_by(OutboxRow.state))
        return dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in found}
