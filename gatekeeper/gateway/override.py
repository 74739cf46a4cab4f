"""Asking for an arm by header: for testers who hold the gateway's secret, and for nobody else."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple

from gatekeeper.errors import InputError
from gatekeeper.gateway.http import Refusal
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    from gatekeeper.model.split import Split

_ARMS = {b"baseline": Arm.BASELINE, b"candidate": Arm.CANDIDATE}
_LEAST_CHARACTERS = 16


class Override(NamedTuple):
    """Hold what a request asks for: the values of `x-gatekeeper-arm` and `x-gatekeeper-override-key`, b"" without."""

    arm: bytes
    key: bytes


class Overrides:
    """Give an arm to those who show the secret."""

    def __init__(self, secret: str) -> None:
        """Keep the secret's digest; "" lets nobody in.

        Raises:
            InputError: the secret is shorter than 16 characters.
        """
        if secret and len(secret) < _LEAST_CHARACTERS:
            raise InputError(
                f"the override key has {len(secret)} characters; expected {_LEAST_CHARACTERS} or more, such as from "
                "`openssl rand -hex 16`"
            )
        self._digest = hashlib.sha256(secret.encode()).digest() if secret else None

    def arm(self, asked: Override, split: Split) -> Arm:
        """Return the arm that was asked for; without a candidate there is the baseline only.

        Raises:
            Refusal: 403, the secret is missing or wrong, or this gateway has none; 400, no such arm.
        """
        if self._digest is None:
            raise Refusal(403, "x-gatekeeper-arm: this gateway gives no arm on request; leave the header out")
        if not hmac.compare_digest(hashlib.sha256(asked.key).digest(), self._digest):
            raise Refusal(403, "x-gatekeeper-arm: x-gatekeeper-override-key is missing or wrong")
        arm = _ARMS.get(asked.arm.strip().lower())
        if arm is None:
            raise Refusal(400, f"x-gatekeeper-arm: expected {' or '.join(name.decode() for name in _ARMS)}")
        return arm if split.candidate is not None else Arm.BASELINE
