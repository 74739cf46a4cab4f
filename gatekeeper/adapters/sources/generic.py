"""Any system that can sign: Standard Webhooks, `{"type": "rollback", "service" | "rollout_id": "...", "reason"}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.adapters import signatures
from gatekeeper.adapters.sources import read_object, text
from gatekeeper.errors import AccessError, InputError, UnknownNameError
from gatekeeper.model.hook import HookEvent

if TYPE_CHECKING:
    from gatekeeper.model.hook import Delivery

TAKES_KEYS = False
TYPES = ("rollback",)

_LONGEST_ID = 256


def verify(delivery: Delivery, secret: str | None, now_s: float) -> None:
    """Accept a delivery signed with the hook secret within the last 300 s."""
    if not secret:
        raise AccessError(
            "no hook secret is configured here: set GATEKEEPER_HOOK_SECRET or GATEKEEPER_HOOK_SECRET_FILE"
        )
    signatures.verify(secret, delivery.headers, delivery.body, now_s)


def parse(delivery: Delivery) -> tuple[HookEvent, ...]:
    """Return the one event of a signed body; its id is the delivery's webhook-id."""
    plain = read_object(delivery.body)
    kind = text(plain, "type")
    if kind not in TYPES:
        raise UnknownNameError("event type", kind, TYPES)
    rollout_id, service = text(plain, "rollout_id"), text(plain, "service")
    if not (rollout_id or service):
        raise InputError("the body names neither rollout_id nor service, one of which says what to roll back")
    event_id = delivery.headers.get("webhook-id", "")
    if not 0 < len(event_id) <= _LONGEST_ID:
        raise InputError(f"the header webhook-id holds {len(event_id)} characters; 1 to {_LONGEST_ID} are expected")
    reason = text(plain, "reason") or "asked for by a signed webhook"
    body = {"type": kind, "rollout_id": rollout_id, "service": service, "reason": reason}
    return (
        HookEvent(id=event_id, wants_rollback=True, rollout_id=rollout_id, service=service, reason=reason, body=body),
    )
