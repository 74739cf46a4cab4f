"""Prometheus Alertmanager, webhook format version 4, with a bearer token.

A firing alert names its target by its labels: `gatekeeper_rollout` or `rollout_id` one rollout, else
`gatekeeper_service` or `service` the running rollout of a service. A resolved alert is an all-clear.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters.sources import read_object, text
from gatekeeper.errors import AccessError, InputError
from gatekeeper.model.hook import HookEvent

if TYPE_CHECKING:
    from gatekeeper.model.hook import Delivery

TAKES_KEYS = True
VERSION = "4"
ROLLOUT_LABELS = ("gatekeeper_rollout", "rollout_id")
SERVICE_LABELS = ("gatekeeper_service", "service")

_MOST_ALERTS = 1_000


def verify(delivery: Delivery, secret: str | None, now_s: float) -> None:  # noqa: ARG001 - a bearer token has no time
    """Accept a delivery that carries the hook token as its bearer token."""
    scheme, _, token = delivery.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise AccessError("no bearer token: set http_config.authorization.credentials in Alertmanager's receiver")
    if not secret or not hmac.compare_digest(secret.encode(), token.strip().encode(errors="replace")):
        raise AccessError("the bearer token is neither the hook token nor an operator's API key")


def parse(delivery: Delivery) -> tuple[HookEvent, ...]:
    """Return an event for each alert, and one for the alerts that were cut off when none of those shown fires."""
    plain = read_object(delivery.body)
    version = plain.get("version")
    if version != VERSION:
        raise InputError(f"version: {version!r} is not understood; Alertmanager's webhook version {VERSION!r} is")
    alerts = plain.get("alerts")
    if not isinstance(alerts, list) or not all(isinstance(alert, dict) for alert in alerts):
        raise InputError("alerts: a list of objects is expected")
    if len(alerts) > _MOST_ALERTS:
        raise InputError(f"alerts: {len(alerts)} in one delivery; {_MOST_ALERTS} are allowed (set max_alerts)")
    group = text(plain, "groupKey")
    events = tuple(_event(group, alert) for alert in alerts)
    cut = plain.get("truncatedAlerts")
    if cut and text(plain, "status") == "firing" and not any(event.wants_rollback for event in events):
        starts = max((text(alert, "startsAt") for alert in alerts), default="")
        hidden = {
            "labels": plain.get("commonLabels"),
            "annotations": plain.get("commonAnnotations"),
            "fingerprint": "truncated",
            "startsAt": starts,
            "status": "firing",
        }
        return (*events, _event(group, hidden))
    return events


def _event(group: str, alert: dict[str, Any]) -> HookEvent:
    labels, notes = _texts(alert, "labels"), _texts(alert, "annotations")
    status = text(alert, "status")
    if status not in {"firing", "resolved"}:
        raise InputError(f"status: {status!r} is not understood; 'firing' and 'resolved' are")
    fingerprint = text(alert, "fingerprint") or json.dumps(labels, sort_keys=True)
    name = labels.get("alertname", "alert")
    told = notes.get("summary") or notes.get("description") or ""
    return HookEvent(
        id="|".join((group, fingerprint, text(alert, "startsAt"), status)),
        wants_rollback=status == "firing",
        rollout_id=_first(labels, ROLLOUT_LABELS),
        service=_first(labels, SERVICE_LABELS),
        reason=f"alert {name} fires" + (f": {told}" if told else ""),
        body={"status": status, "labels": labels, "annotations": notes, "startsAt": text(alert, "startsAt")},
    )


def _texts(alert: dict[str, Any], name: str) -> dict[str, str]:
    plain = alert.get(name) or {}
    if not isinstance(plain, dict) or not all(isinstance(value, str) for value in plain.values()):
        raise InputError(f"{name}: an object of texts is expected")
    return plain


def _first(labels: dict[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
