"""Webhooks out: owed in the transition's transaction, sent outside of any, tried by the Standard Webhooks schedule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gatekeeper.errors import GatekeeperError, GoneError
from gatekeeper.model.action import OutboxItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gatekeeper.model.key import Webhook
    from gatekeeper.model.rollout import Rollout
    from gatekeeper.ports import Alerts, Clock, Unit

EVENTS = ("rollout.promoted", "rollout.rolled_back", "rollout.stage_changed")
DEFAULT_EVENTS = EVENTS[:2]
KIND = "webhook"
SCHEDULE_S = (0.0, 5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds before each attempt: 0, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; then it is dead."""


def owed(webhooks: Iterable[Webhook], event: str, rollout: Rollout, now_s: float) -> list[OutboxItem]:
    """Return what this transition owes to the webhooks that subscribe to `event`.

    rollout: as it is after the transition; its version makes the event's id, the same for every webhook and attempt.
    """
    event_id = f"evt_{rollout.id}_{rollout.version}_{event.replace('.', '_')}"
    payload = {
        "type": event,
        "timestamp": datetime.fromtimestamp(now_s, tz=UTC).isoformat(),
        "data": {
            "rollout_id": rollout.id,
            "service": rollout.service,
            "state": rollout.state.value,
            "stage": rollout.stage,
            "reason": rollout.reason,
            "baseline_id": rollout.baseline_id,
            "candidate_id": rollout.candidate_id,
            "policy": rollout.policy_name,
            "policy_digest": rollout.policy_digest,
            "version": rollout.version,
            "epoch": rollout.epoch,
        },
    }
    return [
        OutboxItem(
            kind=KIND,
            key=f"{webhook.id}:{event_id}",
            body={"webhook_id": webhook.id, "event": event, "event_id": event_id, "payload": payload},
            next_at=now_s,
        )
        for webhook in webhooks
        if event in webhook.events and not webhook.disabled
    ]


def deliver_due(unit_factory: Callable[[], Unit], alerts: Alerts, clock: Clock, limit: int = 20) -> int:
    """Send up to `limit` items that are due, each leased just before; return how many arrived."""
    arrived = 0
    for _ in range(limit):
        with unit_factory() as unit:
            items = unit.outbox.due(1)
            webhooks = {webhook.id: webhook for webhook in unit.webhooks.list()} if items else {}
        if not items:
            break
        arrived += _deliver(unit_factory, alerts, clock, items[0], webhooks)
    return arrived


def _deliver(
    unit_factory: Callable[[], Unit], alerts: Alerts, clock: Clock, item: OutboxItem, webhooks: dict[str, Webhook]
) -> bool:
    webhook = webhooks.get(item.body.get("webhook_id", ""))
    if item.kind != KIND or webhook is None or webhook.disabled:
        why = f"kind {item.kind!r} has no sink" if item.kind != KIND else "the webhook was removed or disabled"
        _close(unit_factory, item, None, why)
        return False
    try:
        asked_s = alerts.send(replace(item, body={**item.body, "url": webhook.url, "secret": webhook.secret}))
    except GoneError as exc:
        with unit_factory() as unit:
            unit.webhooks.put(replace(webhook, disabled=True))
            unit.outbox.retry(item.id, None, str(exc))
        return False
    except GatekeeperError as exc:
        _close(unit_factory, item, _next_at(clock, item, 0.0), str(exc))
        return False
    if asked_s is None:
        with unit_factory() as unit:
            unit.outbox.done(item.id)
        return True
    _close(unit_factory, item, _next_at(clock, item, asked_s), f"the receiver asks to wait {asked_s:.0f} s")
    return False


def _close(unit_factory: Callable[[], Unit], item: OutboxItem, next_at: float | None, why: str) -> None:
    with unit_factory() as unit:
        unit.outbox.retry(item.id, next_at, why)


def _next_at(clock: Clock, item: OutboxItem, asked_s: float) -> float | None:
    """Return when to try again after attempt number `item.attempt` (from 0); None after the last."""
    following = item.attempt + 1
    return None if following >= len(SCHEDULE_S) else clock.now() + max(SCHEDULE_S[following], asked_s)
