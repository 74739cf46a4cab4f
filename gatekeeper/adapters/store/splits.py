"""The splits gateways follow, and what each gateway says it applies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, tuple_

from gatekeeper.adapters.store.tables import GatewayRow, SplitRow
from gatekeeper.model.split import Split
from gatekeeper.model.wire import from_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.store.work import Work

_FORGET_S = 86_400.0
NOTHING_APPLIED = (0, 0)
"""What a gateway shows of a service of which it reports no split."""


class SqlSplits:
    """Publish splits to gateways and keep what each gateway says it applies."""

    def __init__(self, work: Work) -> None:
        """Work in this transaction."""
        self._work = work

    def put(self, split: Split) -> bool:
        """Publish a split that supersedes the stored one of its service; False (nothing written) when it does not."""
        values = {"service": split.service, "epoch": split.epoch, "version": split.version, "body": to_dict(split)}
        insert = self._work.insert(SplitRow).values(values)
        wanted = insert.excluded
        newer = insert.on_conflict_do_update(
            index_elements=["service"],
            set_={"epoch": wanted.epoch, "version": wanted.version, "body": wanted.body},
            where=tuple_(wanted.epoch, wanted.version) > tuple_(SplitRow.epoch, SplitRow.version),
        )
        return self._work.inserted(newer, SplitRow.service)

    def all(self) -> Sequence[Split]:
        """Return the split of each service."""
        query = select(SplitRow.body).order_by(SplitRow.service)
        return [from_dict(Split, row.body) for row in self._work.all(query)]

    def report_seen(self, gateway_id: str, orders: dict[str, tuple[int, int]]) -> None:
        """Record the (epoch, version) a gateway applies by service, and that it is alive now."""
        now = self._work.clock.now()
        shown = {service: list(order) for service, order in orders.items()}
        self._work.put(GatewayRow, {"id": gateway_id, "seen_at": now, "orders": shown}, ("id",))
        self._work.run(delete(GatewayRow).where(GatewayRow.seen_at < now - _FORGET_S))

    def seen(self, service: str, fresh_s: float) -> tuple[int, int] | None:
        """Return the smallest (epoch, version) over gateways heard from within `fresh_s`; None when none was.

        A gateway that reports no split of the service counts as (0, 0): it applies nothing of it.
        """
        fresh = select(GatewayRow.orders).where(GatewayRow.seen_at >= self._work.clock.now() - fresh_s)
        shown = [row.orders.get(service, NOTHING_APPLIED) for row in self._work.all(fresh)]
        return min(((epoch, version) for epoch, version in shown), default=None)
