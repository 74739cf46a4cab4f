"""An alert that arrives at two replicas at once rolls back once, on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.flow import hooks, rollouts
from gatekeeper.flow.deliver import EVENTS
from gatekeeper.flow.deploy import deploy
from gatekeeper.model.hook import HookEvent
from gatekeeper.model.key import Webhook
from gatekeeper.model.release import Deployment, Release
from gatekeeper.model.rollout import RolloutState

POLICY = "policy: p\nmetrics: {refusal_rate: {max_increase: 1pp}}\nstages:\n  - canary: {weight: 10%}\n"


@pytest.mark.services
def test_one_rollback_and_one_webhook_owed(postgres_url: str):
    store = SqlStore(postgres_url)
    store.upgrade()
    with store.unit() as unit:
        for name in ("old", "new"):
            release = Release(model=name)
            deploy(
                unit,
                Deployment(id=name, service="s", release_digest=release.digest, url=f"http://{name}", model=name),
                release,
            )
        unit.webhooks.put(Webhook(id="wh-1", url="https://x.example/", secret="whsec_", events=EVENTS))  # noqa: S106 - opens nothing
        rollout = rollouts.create(unit, service="s", policy_text=POLICY, candidate="new", actor="alice")
    event = HookEvent(id="g|f|t|firing", wants_rollback=True, service="s", reason="alert fires")

    def arrive(_: int) -> str:
        with store.unit() as unit:
            return hooks.receive(unit, "alertmanager", [event])[0].outcome

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(arrive, range(16)))
    assert outcomes == ["duplicate"] * 15 + ["rolled_back"]
    with store.unit() as unit:
        assert unit.rollouts.get(rollout.id).state is RolloutState.ROLLED_BACK
        assert [entry.event for entry in unit.audit.entries(rollout.id)] == ["rollout.created", "rollout.rolled_back"]
        assert unit.outbox.counts()["pending"] == 1
    store.dispose()
