"""Standard Webhooks signatures (id.timestamp.body, HMAC-SHA256), so that only our own errors come out.

The `standardwebhooks` package computes the signature; secrets, headers and the clock are checked here, because its
`verify` lets foreign errors through, takes a secret of one byte and reads the clock by itself.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from standardwebhooks.webhooks import Webhook

from gatekeeper.errors import AccessError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "whsec_"
SHORTEST_SECRET = 24
LONGEST_SECRET = 64
TOLERANCE_S = 300.0

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_MOST_SIGNATURES = 16


def check_secret(secret: str) -> bytes:
    """Return the key inside one `whsec_` secret.

    Raises:
        InputError: not `whsec_` and base64 of 24 to 64 bytes; the message never shows the secret.
    """
    if not secret.startswith(PREFIX):
        raise InputError(f"a webhook secret starts with {PREFIX!r}, followed by base64 of 24 to 64 random bytes")
    text = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise InputError(f"a webhook secret is base64 after {PREFIX!r}; this one is not") from exc
    if not SHORTEST_SECRET <= len(key) <= LONGEST_SECRET:
        raise InputError(
            f"a webhook secret holds {SHORTEST_SECRET} to {LONGEST_SECRET} bytes; this one holds {len(key)}"
        )
    return key


def sign(secrets: str, event_id: str, ts: float, body: str) -> dict[str, str]:
    """Return the three Standard Webhooks headers for a body.

    secrets: one `whsec_` secret, or several apart by spaces while one rotates; each gives a signature.
    """
    when = datetime.fromtimestamp(int(ts), tz=UTC)
    keys = [check_secret(secret) for secret in secrets.split()]
    if not keys:
        raise InputError(f"a webhook needs a secret: {PREFIX!r} and base64 of 24 to 64 random bytes")
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(ts)),
        "webhook-signature": " ".join(Webhook(key).sign(event_id, when, body) for key in keys),
    }


def verify(secrets: str, headers: Mapping[str, str], body: bytes, now_s: float) -> None:
    """Accept a delivery whose signature fits one of the secrets and whose timestamp is within 300 s of now.

    Raises:
        AccessError: a header is missing or malformed, the timestamp is too far off, or no signature fits.
    """
    event_id, stamp, signatures = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (event_id and stamp and signatures):
        raise AccessError("unsigned: the headers webhook-id, webhook-timestamp and webhook-signature are needed")
    if not _SECONDS.fullmatch(stamp):
        raise AccessError("the header webhook-timestamp is not whole unix seconds")
    if abs(now_s - int(stamp)) > TOLERANCE_S:
        raise AccessError(f"the header webhook-timestamp is more than {TOLERANCE_S:.0f} s from this server's clock")
    try:
        wanted = sign(secrets, event_id, float(stamp), body.decode())["webhook-signature"].split()
    except UnicodeError as exc:
        raise AccessError("the signed body or the header webhook-id is not UTF-8") from exc
    given = [part.encode(errors="replace") for part in signatures.split()[:_MOST_SIGNATURES]]
    fits = [hmac.compare_digest(one.encode(), other) for one in wanted for other in given]
    if not any(fits):
        raise AccessError("no signature in the header webhook-signature fits the body")
