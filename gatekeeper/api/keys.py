"""API keys over HTTP: a key's text is answered once, when it is made."""

from typing import Any

from fastapi import APIRouter, Response

from gatekeeper.api.caller import ADMINISTER, TheApp
from gatekeeper.api.schemas import KeyBody
from gatekeeper.flow.keys import mint
from gatekeeper.model.key import ApiKey
from gatekeeper.model.wire import to_dict

routes = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[ADMINISTER])


@routes.post("", status_code=201)
def create_key(app: TheApp, body: KeyBody, response: Response) -> dict[str, Any]:
    """Make a key; `key` is its text, shown only now."""
    with app.unit() as unit:
        key, text = mint(unit, body.name, body.scope, body.env)
    response.headers["cache-control"] = "no-store"
    return _shown(key) | {"key": text}


@routes.get("")
def list_keys(app: TheApp) -> dict[str, Any]:
    """List keys without their digests, newest first."""
    with app.read() as unit:
        return {"keys": [_shown(key) for key in unit.keys.list()]}


@routes.delete("/{key_id}", status_code=204)
def revoke_key(app: TheApp, key_id: str) -> None:
    """Revoke a key now."""
    with app.unit() as unit:
        unit.keys.revoke(key_id)


def _shown(key: ApiKey) -> dict[str, Any]:
    plain = to_dict(key)
    del plain["digest"]
    return plain
