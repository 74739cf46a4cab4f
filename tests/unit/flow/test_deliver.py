"""Webhooks out: owed once to whom it concerns, tried by the schedule, dead after the last, never lost."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest

from gatekeeper.adapters.clock import HandClock
from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.errors import GoneError, WorldError
from gatekeeper.flow.deliver import EVENTS, SCHEDULE_S, deliver_due, owed
from gatekeeper.model.action import OutboxItem
from gatekeeper.model.key import Webhook
from gatekeeper.model.rollout import Rollout, RolloutState
from gatekeeper.model.split import Endpoint, Split

HOOK = Webhook(id="wh-1", url="https://receiver.example/", secret="whsec_x", events=EVENTS[:2])  # noqa: S106 - opens nothing
ROLLOUT = Rollout(
    id="r-1",
    service="support",
    policy_name="p",
    policy_digest="d",
    policy_text="metrics: {}",
    baseline_id="old",
    candidate_id="new",
    salt="s",
    state=RolloutState.ROLLED_BACK,
    version=3,
    split_wanted=Split(service="support", epoch=2, version=3, baseline=Endpoint(url="http://old", model="m")),
    created_at=0.0,
)


class Told:
    """A receiver that answers from a list; an exception in it is raised, its last answer is for good."""

    def __init__(self, *answers: float | Exception | None) -> None:
        """Keep the answers, in order."""
        self.answers = deque(answers)
        self.came: list[OutboxItem] = []

    def send(self, item: OutboxItem) -> float | None:
        """Give the next answer."""
        self.came.append(item)
        answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def begin(webhook: Webhook = HOOK) -> tuple[MemoryStore, HandClock]:
    clock = HandClock()
    store = MemoryStore(clock)
    with store.unit() as unit:
        unit.webhooks.put(webhook)
        unit.outbox.add(owed([webhook], "rollout.rolled_back", ROLLOUT, clock.now()))
    return store, clock


def counts(store: MemoryStore) -> dict[str, int]:
    with store.unit() as unit:
        return {state: number for state, number in unit.outbox.counts().items() if number}


def test_only_subscribers_that_are_not_disabled_are_owed():
    hooks = [
        HOOK,
        replace(HOOK, id="wh-2", disabled=True),
        replace(HOOK, id="wh-3", events=("rollout.promoted",)),
    ]
    items = owed(hooks, "rollout.rolled_back", ROLLOUT, 1_700_000_000.0)
    assert [item.key for item in items] == ["wh-1:evt_r-1_3_rollout_rolled_back"]
    payload = items[0].body["payload"]
    assert payload["type"] == "rollout.rolled_back"
    assert payload["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert payload["data"]["state"] == "rolled_back"
    assert "secret" not in str(items[0].body)
    assert owed(hooks, "rollout.paused", ROLLOUT, 0.0) == []


def test_what_is_owed_twice_is_sent_once():
    store, clock = begin()
    with store.unit() as unit:
        unit.outbox.add(owed([HOOK], "rollout.rolled_back", ROLLOUT, clock.now()))
    told = Told(None)
    assert deliver_due(store.unit, told, clock, 10) == 1
    assert deliver_due(store.unit, told, clock, 10) == 0
    assert len(told.came) == 1
    assert told.came[0].body["url"] == HOOK.url
    assert told.came[0].body["secret"] == HOOK.secret
    assert counts(store) == {"done": 1}


def test_the_schedule_is_kept_and_then_it_is_dead():
    store, clock = begin()
    told = Told(WorldError("no answer"))
    attempts: list[float] = []
    begun = clock.now()
    for wait_s in (*SCHEDULE_S, 86_400.0):
        clock.advance(max(wait_s - 1, 0))
        deliver_due(store.unit, told, clock, 10)
        early = len(told.came)
        clock.advance(1 if wait_s else 0)
        deliver_due(store.unit, told, clock, 10)
        attempts += [clock.now() - begun] * (len(told.came) - len(attempts))
        assert len(told.came) == early or early == len(attempts) - 1
    spans = [later - earlier for earlier, later in zip([0.0, *attempts], attempts, strict=False)]
    assert spans == list(SCHEDULE_S)
    assert counts(store) == {"dead": 1}


def test_retry_after_is_honoured_when_it_is_longer_than_the_schedule():
    store, clock = begin()
    told = Told(600.0, None)
    assert deliver_due(store.unit, told, clock, 10) == 0
    clock.advance(599)
    assert deliver_due(store.unit, told, clock, 10) == 0
    assert len(told.came) == 1
    clock.advance(1)
    assert deliver_due(store.unit, told, clock, 10) == 1


def test_410_disables_the_webhook_and_gives_up():
    store, clock = begin()
    assert deliver_due(store.unit, Told(GoneError("410")), clock, 10) == 0
    with store.unit() as unit:
        assert unit.webhooks.list()[0].disabled
    assert counts(store) == {"dead": 1}


@pytest.mark.parametrize("removed", [True, False])
def test_what_is_owed_to_nobody_any_more_is_dead_without_a_call(removed: bool):  # noqa: FBT001 - a case of the table
    store, clock = begin()
    with store.unit() as unit:
        if removed:
            unit.webhooks.delete(HOOK.id)
        else:
            unit.webhooks.put(replace(HOOK, disabled=True))
    told = Told(None)
    assert deliver_due(store.unit, told, clock, 10) == 0
    assert told.came == []
    assert counts(store) == {"dead": 1}


def test_an_item_of_another_kind_is_dead_and_says_so():
    store, clock = begin()
    with store.unit() as unit:
        unit.outbox.add([OutboxItem(kind="pigeon", key="p", body={})])
    assert deliver_due(store.unit, Told(None), clock, 10) == 1
    assert counts(store) == {"done": 1, "dead": 1}


def test_a_sender_that_dies_loses_nothing():
    store, clock = begin()
    with pytest.raises(KeyError):
        deliver_due(store.unit, Told(KeyError("power")), clock, 10)
    told = Told(None)
    clock.advance(59)
    assert deliver_due(store.unit, told, clock, 10) == 0
    clock.advance(1)
    assert deliver_due(store.unit, told, clock, 10) == 1
