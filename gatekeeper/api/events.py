"""Server-sent events of one rollout: the store is looked at again and again, and what changed is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
from anyio import to_thread

from gatekeeper.api import view
from gatekeeper.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gatekeeper.wiring import App

LONGEST_S = 600.0
"""A stream ends after ten minutes, so that a revoked key reads no longer; watchers connect again."""

QUIET_S = 10.0


async def changes(app: App, rollout_id: str, *, poll_s: float) -> AsyncIterator[bytes]:
    """Yield the state now and after each change, a comment every 10 s of quiet, and `end` after the last state."""
    told: dict[str, Any] | None = None
    quiet_s = lived_s = 0.0
    while lived_s < LONGEST_S:
        try:
            seen: dict[str, Any] | None = await to_thread.run_sync(_look, app, rollout_id)
        except WorldError:
            seen = told
        if seen is not None and seen != told:
            told, quiet_s = seen, 0.0
            yield _event("state", told)
            if told["state"] != "running" and told["settled"]:
                yield _event("end", {"id": rollout_id, "state": told["state"]})
                return
        elif quiet_s >= QUIET_S:
            quiet_s = 0.0
            yield b": still here\n\n"
        await asyncio.sleep(poll_s)
        quiet_s, lived_s = quiet_s + poll_s, lived_s + poll_s


def _look(app: App, rollout_id: str) -> dict[str, Any]:
    with app.read() as unit:
        return view.glance(unit, unit.rollouts.get(rollout_id))


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
