"""Outbound webhooks over HTTP: who is told of promotions and rollbacks."""

import base64
import secrets
from typing import Any

from fastapi import APIRouter, Response

from gatekeeper.adapters import signatures
from gatekeeper.adapters.alerts.webhook import check_url
from gatekeeper.api.caller import ADMINISTER, TheApp
from gatekeeper.api.schemas import WebhookBody
from gatekeeper.errors import InputError, UnknownNameError
from gatekeeper.flow.deliver import DEFAULT_EVENTS, EVENTS
from gatekeeper.model.key import Webhook

routes = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], dependencies=[ADMINISTER])

_SECRET_BYTES = 32


@routes.post("", status_code=201)
def create_webhook(app: TheApp, body: WebhookBody, response: Response) -> dict[str, Any]:
    """Add a webhook; `secret` verifies its signatures and is shown only now."""
    check_url(body.url, allow_private=app.settings.webhook_allow_private)
    events = tuple(dict.fromkeys(DEFAULT_EVENTS if body.events is None else body.events))
    for event in events:
        if event not in EVENTS:
            raise UnknownNameError("event", event, EVENTS)
    if not events:
        raise InputError(f"events: at least one of {', '.join(EVENTS)}")
    secret = body.secret or signatures.PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    for one in secret.split():
        signatures.check_secret(one)
    webhook = Webhook(id=f"wh-{secrets.token_hex(5)}", url=body.url, secret=secret, events=events)
    with app.unit() as unit:
        unit.webhooks.put(webhook)
    response.headers["cache-control"] = "no-store"
    return _shown(webhook) | {"secret": secret}


@routes.get("")
def list_webhooks(app: TheApp) -> dict[str, Any]:
    """List webhooks without their secrets."""
    with app.read() as unit:
        return {"webhooks": [_shown(webhook) for webhook in unit.webhooks.list()]}


@routes.delete("/{webhook_id}", status_code=204)
def remove_webhook(app: TheApp, webhook_id: str) -> None:
    """Remove a webhook; what it was still owed is given up."""
    with app.unit() as unit:
        unit.webhooks.delete(webhook_id)


def _shown(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.events),
        "disabled": webhook.disabled,
    }
