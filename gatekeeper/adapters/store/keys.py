"""API keys, outbound webhooks, and the ids of inbound ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from gatekeeper.adapters.store.tables import InboundEventRow, KeyRow, WebhookRow
from gatekeeper.errors import NotFoundError
from gatekeeper.model.key import ApiKey, Webhook
from gatekeeper.model.wire import from_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.store.work import Work


class SqlKeys:
    """Keep API keys by digest."""

    def __init__(self, work: Work) -> None:
        """Work in this transaction."""
        self._work = work

    def add(self, key: ApiKey) -> None:
        """Insert a key."""
        self._work.run(self._work.insert(KeyRow).values(to_dict(key)))

    def by_digest(self, digest: str) -> ApiKey | None:
        """Return the key that is not revoked, or None."""
        query = select(KeyRow.__table__).where(KeyRow.digest == digest, KeyRow.revoked_at.is_(None))
        found = self._work.first(query)
        return None if found is None else from_dict(ApiKey, dict(found._mapping))  # noqa: SLF001 - public mapping

    def list(self) -> Sequence[ApiKey]:
        """Return all keys, newest first."""
        query = select(KeyRow.__table__).order_by(KeyRow.created_at.desc(), KeyRow.id)
        return [from_dict(ApiKey, dict(row._mapping)) for row in self._work.all(query)]  # noqa: SLF001 - as above

    def revoke(self, key_id: str) -> None:
        """Revoke a key now; raises NotFoundError. The first time stands."""
        if self._work.first(select(KeyRow.id).where(KeyRow.id == key_id)) is None:
            raise NotFoundError(f"no API key {key_id!r}")
        still = update(KeyRow).where(KeyRow.id == key_id, KeyRow.revoked_at.is_(None))
        self._work.run(still.values(revoked_at=self._work.clock.now()))


class SqlWebhooks:
    """Keep outbound webhooks, and the ids of inbound ones."""

    def __init__(self, work: Work) -> None:
        """Work in this transaction."""
        self._work = work

    def put(self, webhook: Webhook) -> None:
        """Insert or replace."""
        self._work.put(WebhookRow, to_dict(webhook), ("id",))

    def list(self) -> Sequence[Webhook]:
        """Return all outbound webhooks, in order of id."""
        query = select(WebhookRow.__table__).order_by(WebhookRow.id)
        return [from_dict(Webhook, dict(row._mapping)) for row in self._work.all(query)]  # noqa: SLF001 - public mapping

    def delete(self, webhook_id: str) -> None:
        """Remove one; raises NotFoundError."""
        if not self._work.run(delete(WebhookRow).where(WebhookRow.id == webhook_id)).rowcount:
            raise NotFoundError(f"no webhook {webhook_id!r}")

    def remember(self, source: str, event_id: str, body: dict[str, Any]) -> bool:
        """Note an inbound event in this transaction; False when it was known already."""
        values = {"source": source, "event_id": event_id, "ts": self._work.clock.now(), "body": body}
        insert = self._work.insert(InboundEventRow).values(values)
        return self._work.inserted(insert.on_conflict_do_nothing(), InboundEventRow.event_id)
