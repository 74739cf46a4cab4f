"""Chain audit entries by hash, so that a changed, missing or reordered one is found."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.model.audit import AuditEntry


def seal(entry: AuditEntry, previous_hash: str) -> AuditEntry:
    """Return the entry with `previous` and `hash` filled in; previous_hash is "" for a rollout's first entry.

    Numbers that JSON cannot hold (NaN, infinities) become null, so that what is hashed is what can be stored.
    """
    finite = replace(entry, body=_finite(entry.body), previous=previous_hash)
    return replace(finite, hash=_digest(finite))


def verify(entries: Sequence[AuditEntry], last_version: int | None = None) -> list[str]:
    """Return the faults of one rollout's chain, in words; an empty list when it is whole.

    entries: as stored, expected in order of version from 0. last_version: the version the rollout itself stands at;
    with it, entries cut off at the end are missed too.
    """
    faults: list[str] = []
    previous_hash = ""
    expected = 0
    for entry in entries:
        name = f"rollout {entry.rollout_id} version {entry.version}"
        if entry.version < expected:
            faults.append(f"{name}: reordered: it stands where version {expected} belongs")
        elif entry.version > expected:
            faults.append(f"{name}: missing before it: {_span(expected, entry.version - 1)}")
        if entry.hash != _digest(entry):
            faults.append(f"{name}: changed: its hash does not match its content")
        elif entry.version == expected and entry.previous != previous_hash:
            faults.append(f"{name}: changed: it does not continue the entry before it")
        previous_hash = entry.hash
        expected = entry.version + 1
    if last_version is not None and expected <= last_version:
        faults.append(f"missing at the end: {_span(expected, last_version)}")
    return faults


def _span(first: int, last: int) -> str:
    """Name one version or a range of them."""
    return f"version {first}" if first == last else f"versions {first} to {last}"


def _digest(entry: AuditEntry) -> str:
    """Return the SHA-256 (hex) over the canonical JSON of everything but the hash itself."""
    content = [entry.rollout_id, entry.version, entry.ts, entry.actor, entry.event, entry.body, entry.previous]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Replace NaN and infinities by None, at any depth."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
