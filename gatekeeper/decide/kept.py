"""What this process stored last, as it was before it became JSON: who finds it unchanged need not read it again."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

from gatekeeper.decide.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Hashable

MOST = 8
"""Stages whose evidence is held, the latest: one with a long history takes a few megabytes."""


class Kept:
    """Read and write stages' evidence; what another process stored, or what was rolled back, is never mistaken.

    Evidence that is returned is not to be changed: the next reader gets the same.
    """

    def __init__(self, most: int = MOST) -> None:
        """Hold nothing yet; most: stages that are held at once."""
        self._most = most
        self._lock = Lock()
        self._written: OrderedDict[Hashable, tuple[dict[str, Any], Evidence]] = OrderedDict()

    def read(self, key: Hashable, plain: dict[str, Any]) -> Evidence:
        """Return the evidence that is stored as `plain`: what was written last under the key, if that is the same.

        Raises:
            OldEvidenceError: it was stored in another form.
        """
        with self._lock:
            written = self._written.get(key)
        if written is not None and written[0] == plain:
            return written[1]
        return Evidence.from_json(plain)

    def write(self, key: Hashable, evidence: Evidence) -> dict[str, Any]:
        """Return plain JSON values to store under a key."""
        plain = evidence.to_json()
        with self._lock:
            self._written[key] = plain, evidence
            self._written.move_to_end(key)
            if len(self._written) > self._most:
                self._written.popitem(last=False)
        return plain
