"""Which arm serves a key: a salted hash, the same in every worker, after every restart and in every language.

bucket = the first 12 hexadecimal digits of SHA-256(UTF-8(salt) + 0x00 + UTF-8(key)), as an integer, modulo 10,000.
48 bits fit a double exactly, so that JavaScript, SQL and Python agree; the bias of the modulo is below 4e-11.
`docs/reference/cohorts.md` holds the definition with test vectors.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from gatekeeper.model.arm import Arm
from gatekeeper.model.split import WHOLE_BP

if TYPE_CHECKING:
    from gatekeeper.model.split import Split

_HASH_BYTES = 6
_MIRROR_SALT = "/mirror"


def bucket(salt: str, key: str) -> int:
    """Return the key's place in [0, 10000): uniform over keys, and independent between salts."""
    material = salt.encode("utf-8", "surrogatepass") + b"\x00" + key.encode("utf-8", "surrogatepass")
    return int.from_bytes(sha256(material).digest()[:_HASH_BYTES], "big") % WHOLE_BP


def arm(split: Split, key: str) -> Arm:
    """Return the arm that serves `key`: sticky for a salt, and monotone in the shares.

    The candidate takes buckets from 0 up, control from 9,999 down, so that raising a share moves keys into it and
    nobody out. Where the two would meet, the candidate has its share and control what is left.
    """
    if split.candidate is None:
        return Arm.BASELINE
    place = bucket(split.salt, key)
    if place < split.candidate_bp:
        return Arm.CANDIDATE
    return Arm.CONTROL if place >= WHOLE_BP - split.control_bp else Arm.BASELINE


def mirrored(split: Split, request_id: str) -> bool:
    """Tell whether the candidate gets a copy of this baseline request: drawn per request, apart from the arms."""
    return split.candidate is not None and bucket(split.salt + _MIRROR_SALT, request_id) < split.mirror_bp
