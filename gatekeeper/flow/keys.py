"""API keys: made once, shown once, known afterwards by their digest only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from gatekeeper.errors import AccessError, InputError
from gatekeeper.model.key import ApiKey, Scope

if TYPE_CHECKING:
    from gatekeeper.ports import Unit

_ID_BYTES = 4
_SECRET_BYTES = 24
_LONGEST_NAME = 100


def digest_of(text: str) -> str:
    """Return the SHA-256 (hex) of a key's text; a random key of 192 bits needs no slow hash."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def mint(unit: Unit, name: str, scope: Scope, env: str = "live") -> tuple[ApiKey, str]:
    """Store a new key in this transaction; return it with its text `gk_<env>_<id>_<random>`, shown only now.

    Raises:
        InputError: the name is empty or too long, or env holds more than small letters and digits.
    """
    if not 0 < len(name.strip()) <= _LONGEST_NAME:
        raise InputError(f"name: {len(name.strip())} characters; 1 to {_LONGEST_NAME} are expected")
    if not (env.isascii() and env.isalnum() and env == env.lower()):
        raise InputError(f"env: {env!r}; small letters and digits are expected, as in live or test")
    key_id = secrets.token_hex(_ID_BYTES)
    text = f"gk_{env}_{key_id}_{secrets.token_hex(_SECRET_BYTES)}"
    key = ApiKey(id=key_id, name=name.strip(), scope=scope, digest=digest_of(text), created_at=unit.clock.now())
    unit.keys.add(key)
    return key, text


def first_key(unit: Unit) -> str | None:
    """Return the text of a new admin key when the store has never had a key; None afterwards."""
    if unit.keys.list():
        return None
    return mint(unit, "first key", Scope.ADMIN)[1]


def authenticate(unit: Unit, text: str) -> ApiKey:
    """Return the key whose text this is.

    Raises:
        AccessError: no such key, or it is revoked.
    """
    digest = digest_of(text)
    key = unit.keys.by_digest(digest)
    if key is None or not hmac.compare_digest(key.digest, digest):
        raise AccessError("this API key is not known here, or it was revoked")
    return key
