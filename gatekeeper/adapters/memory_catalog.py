"""Services, releases, deployments, splits, keys and webhooks, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from gatekeeper.errors import NotFoundError, StoreError, UnknownNameError
from gatekeeper.model.release import Deployment, Release, Service
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.memory_shelf import Shelf, Shelves
    from gatekeeper.model.key import ApiKey, Webhook
    from gatekeeper.model.split import Split
    from gatekeeper.ports import Clock

V = TypeVar("V")

NOTHING_APPLIED = (0, 0)
"""What a gateway shows of a service of which it reports no split."""


class MemoryCatalog:
    """Keep services, releases and deployments under their own ids."""

    def __init__(self, shelves: Shelves) -> None:
        """Work on these shelves."""
        self._shelves = shelves

    def put(self, noun: Service | Release | Deployment) -> None:
        """Store a noun."""
        if isinstance(noun, Release):
            self._shelves.releases[noun.digest] = noun
        elif isinstance(noun, Deployment):
            self._shelves.deployments[noun.id] = noun
        else:
            self._shelves.services[noun.name] = noun

    def service(self, name: str) -> Service:
        """Return a service; raises NotFoundError naming those that exist."""
        return _found("service", name, self._shelves.services)

    def deployment(self, deployment_id: str) -> Deployment:
        """Return a deployment; raises NotFoundError naming those that exist."""
        return _found("deployment", deployment_id, self._shelves.deployments)

    def all(self, kind: str) -> Sequence[dict[str, Any]]:
        """Return every `service`, `release` or `deployment` as JSON values, in order of its key."""
        kept: dict[str, Shelf[str, Any]] = {
            "service": self._shelves.services,
            "release": self._shelves.releases,
            "deployment": self._shelves.deployments,
        }
        if kind not in kept:
            raise UnknownNameError("kind", kind, tuple(kept))
        bodies = {key: to_dict(noun) for key, noun in sorted(kept[kind].items())}
        return [{"digest": key, **body} if kind == "release" else body for key, body in bodies.items()]


class MemorySplits:
    """Publish splits to gateways and keep what each gateway says it applies."""

    def __init__(self, shelves: Shelves, clock: Clock) -> None:
        """Work on these shelves, by this clock."""
        self._shelves = shelves
        self._clock = clock

    def put(self, split: Split) -> bool:
        """Publish a split that supersedes the stored one of its service; False (nothing written) when it does not."""
        if not split.supersedes(self._shelves.splits.get(split.service)):
            return False
        self._shelves.splits[split.service] = split
        return True

    def all(self) -> Sequence[Split]:
        """Return the split of each service."""
        return sorted(self._shelves.splits.values(), key=lambda split: split.service)

    def report_seen(self, gateway_id: str, orders: dict[str, tuple[int, int]]) -> None:
        """Record the (epoch, version) a gateway applies by service, and that it is alive now."""
        self._shelves.gateways[gateway_id] = (self._clock.now(), dict(orders))

    def seen(self, service: str, fresh_s: float) -> tuple[int, int] | None:
        """Return the smallest (epoch, version) over gateways heard from within `fresh_s`; None when none was.

        A gateway that reports no split of the service counts as (0, 0): it applies nothing of it.
        """
        since = self._clock.now() - fresh_s
        fresh = (orders for seen_at, orders in self._shelves.gateways.values() if seen_at >= since)
        return min((orders.get(service, NOTHING_APPLIED) for orders in fresh), default=None)


class MemoryKeys:
    """Keep API keys by digest."""

    def __init__(self, shelves: Shelves, clock: Clock) -> None:
        """Work on these shelves, by this clock."""
        self._shelves = shelves
        self._clock = clock

    def add(self, key: ApiKey) -> None:
        """Insert a key."""
        if key.id in self._shelves.api_keys or any(one.digest == key.digest for one in self.list()):
            raise StoreError(f"API key {key.id!r} is there already: make a new one")
        self._shelves.api_keys[key.id] = key

    def by_digest(self, digest: str) -> ApiKey | None:
        """Return the key that is not revoked, or None."""
        live = (key for key in self._shelves.api_keys.values() if key.revoked_at is None)
        return next((key for key in live if key.digest == digest), None)

    def list(self) -> Sequence[ApiKey]:
        """Return all keys, newest first."""
        return sorted(self._shelves.api_keys.values(), key=lambda key: (-key.created_at, key.id))

    def revoke(self, key_id: str) -> None:
        """Revoke a key now; raises NotFoundError. The first time stands."""
        key = self._shelves.api_keys.get(key_id)
        if key is None:
            raise NotFoundError(f"no API key {key_id!r}")
        if key.revoked_at is None:
            self._shelves.api_keys[key_id] = replace(key, revoked_at=self._clock.now())


class MemoryWebhooks:
    """Keep outbound webhooks, and the ids of inbound ones."""

    def __init__(self, shelves: Shelves) -> None:
        """Work on these shelves."""
        self._shelves = shelves

    def put(self, webhook: Webhook) -> None:
        """Insert or replace."""
        self._shelves.webhooks[webhook.id] = webhook

    def list(self) -> Sequence[Webhook]:
        """Return all outbound webhooks, in order of id."""
        return sorted(self._shelves.webhooks.values(), key=lambda webhook: webhook.id)

    def delete(self, webhook_id: str) -> None:
        """Remove one; raises NotFoundError."""
        if webhook_id not in self._shelves.webhooks:
            raise NotFoundError(f"no webhook {webhook_id!r}")
        del self._shelves.webhooks[webhook_id]

    def remember(self, source: str, event_id: str, body: dict[str, Any]) -> bool:
        """Note an inbound event in this transaction; False when it was known already."""
        if (source, event_id) in self._shelves.inbound:
            return False
        self._shelves.inbound[source, event_id] = body
        return True


def _found(kind: str, key: str, shelf: Shelf[str, V]) -> V:
    found = shelf.get(key)
    if found is None:
        raise NotFoundError(f"no {kind} {key!r}; known: {', '.join(sorted(shelf.keys())) or 'none'}")
    return found
