"""Webhooks in: an event is remembered and obeyed in one transaction, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatekeeper.errors import NotFoundError
from gatekeeper.flow import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatekeeper.model.hook import HookEvent
    from gatekeeper.model.rollout import Rollout
    from gatekeeper.ports import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Say what came of one event: `rolled_back`, `duplicate`, `resolved`, `unmatched` or `nothing_running`.

    rollouts: ids of the rollouts that this event rolled back.
    """

    event_id: str
    outcome: str
    rollouts: tuple[str, ...] = ()


def receive(unit: Unit, source: str, events: Iterable[HookEvent]) -> tuple[Outcome, ...]:
    """Remember each event and roll back what it names, in this transaction; a known event does nothing again."""
    return tuple(_obey(unit, source, event) for event in events)


def _obey(unit: Unit, source: str, event: HookEvent) -> Outcome:
    if not unit.webhooks.remember(source, event.id, event.body):
        return Outcome(event_id=event.id, outcome="duplicate")
    if not event.wants_rollback:
        return Outcome(event_id=event.id, outcome="resolved")
    if not (event.rollout_id or event.service):
        return Outcome(event_id=event.id, outcome="unmatched")
    targets = _targets(unit, event)
    for rollout in targets:
        override.rollback(unit, rollout.id, actor=f"webhook:{source}", reason=event.reason)
    ids = tuple(rollout.id for rollout in targets)
    return Outcome(event_id=event.id, outcome="rolled_back" if ids else "nothing_running", rollouts=ids)


def _targets(unit: Unit, event: HookEvent) -> tuple[Rollout, ...]:
    if event.rollout_id:
        try:
            rollout = unit.rollouts.get(event.rollout_id)
        except NotFoundError:
            return ()
        return () if rollout.state.ended else (rollout,)
    return tuple(rollout for rollout in unit.rollouts.list(running=True) if rollout.service == event.service)
