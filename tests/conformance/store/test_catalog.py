"""Every store keeps services, releases, deployments, splits, keys and webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gatekeeper.errors import NotFoundError, UnknownNameError
from gatekeeper.model.key import ApiKey, Scope, Webhook
from gatekeeper.model.release import Deployment, Release, Service

if TYPE_CHECKING:
    from gatekeeper.adapters.clock import HandClock
    from tests.conformance.store.conftest import Nouns, Store


def test_the_catalog_keeps_and_replaces(store: Store):
    release = Release(model="tiny", engine_flags={"max-model-len": "256"})
    deployment = Deployment(id="d1", service="chat", release_digest=release.digest, url="http://x", model="tiny")
    with store.unit() as unit:
        for noun in (release, release, deployment, Service(name="chat", deployment_id="d0")):
            unit.catalog.put(noun)
        unit.catalog.put(Service(name="chat", deployment_id="d1"))
    with store.unit(readonly=True) as unit:
        assert unit.catalog.service("chat").deployment_id == "d1"
        assert unit.catalog.deployment("d1") == deployment
        (stored,) = unit.catalog.all("release")
        assert (stored["digest"], stored["model"]) == (release.digest, "tiny")
        assert unit.catalog.all("service") == [{"name": "chat", "deployment_id": "d1"}]
        with pytest.raises(NotFoundError, match="known: chat"):
            unit.catalog.service("chatt")
        with pytest.raises(NotFoundError, match="known: d1"):
            unit.catalog.deployment("d2")
        with pytest.raises(UnknownNameError, match="deployment"):
            unit.catalog.all("policy")


def test_only_a_newer_split_replaces(store: Store, make: Nouns):
    with store.unit() as unit:
        assert unit.splits.put(make.split(epoch=1, version=5, candidate_bp=100))
        assert not unit.splits.put(make.split(epoch=1, version=5))
        assert not unit.splits.put(make.split(epoch=1, version=4))
        assert unit.splits.put(make.split(epoch=2, version=0))
        assert not unit.splits.put(make.split(epoch=1, version=9))
        assert unit.splits.put(make.split(service="a"))
        assert [split.order for split in unit.splits.all()] == [(1, 0), (2, 0)]


def test_the_slowest_gateway_says_what_is_seen(store: Store, clock: HandClock):
    with store.unit() as unit:
        assert unit.splits.seen("chat", 10) is None
        unit.splits.report_seen("g1", {"chat": (2, 1), "other": (1, 1)})
        assert unit.splits.seen("chat", 10) == (2, 1)
        unit.splits.report_seen("g2", {"chat": (1, 9)})
        assert unit.splits.seen("chat", 10) == (1, 9)
        assert unit.splits.seen("other", 10) == (0, 0)
        clock.advance(11)
        assert unit.splits.seen("chat", 10) is None
        unit.splits.report_seen("g1", {"chat": (2, 2)})
        assert unit.splits.seen("chat", 10) == (2, 2)


def test_keys_are_found_by_digest_until_revoked(store: Store, clock: HandClock):
    keys = [ApiKey(id=f"k{n}", name="n", scope=Scope.OPERATOR, digest=f"d{n}", created_at=float(n)) for n in range(2)]
    with store.unit() as unit:
        for key in keys:
            unit.keys.add(key)
        assert unit.keys.by_digest("d1") == keys[1]
        assert unit.keys.by_digest("d9") is None
        assert unit.keys.list() == keys[::-1]
        unit.keys.revoke("k1")
        first = clock.now()
        clock.advance(5)
        unit.keys.revoke("k1")
        assert unit.keys.by_digest("d1") is None
        assert unit.keys.list()[0].revoked_at == first
        with pytest.raises(NotFoundError, match="k9"):
            unit.keys.revoke("k9")


def test_webhooks_are_kept_and_inbound_events_remembered_once(store: Store):
    webhook = Webhook(id="w", url="https://x", secret="whsec_x", events=("rollout.promoted",))  # noqa: S106 - a test's
    with store.unit() as unit:
        unit.webhooks.put(webhook)
        unit.webhooks.put(webhook)
        assert unit.webhooks.list() == [webhook]
        unit.webhooks.delete("w")
        with pytest.raises(NotFoundError, match="'w'"):
            unit.webhooks.delete("w")
        assert unit.webhooks.remember("alertmanager", "e1", {"a": 1})
        assert not unit.webhooks.remember("alertmanager", "e1", {"a": 2})
        assert unit.webhooks.remember("generic", "e1", {})
