"""The control loop's one turn: level-triggered, idempotent, safe to run in every replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.errors import ConflictError
from gatekeeper.flow.act import act
from gatekeeper.flow.services import publish_missing
from gatekeeper.flow.step import step

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.rollout import Rollout
    from gatekeeper.ports import Actuator, Unit


def turn(units: Callable[[], Unit], actuator: Actuator) -> list[Rollout]:
    """Act and step every rollout with something left to do; return them as they stand after.

    A rollout that somebody else moved meanwhile is left for the next turn.
    """
    with units() as unit:
        publish_missing(unit)
        waiting = [r for r in unit.rollouts.list() if not (r.state.ended and r.settled)]
    return [_one(units, actuator, rollout) for rollout in waiting]


def _one(units: Callable[[], Unit], actuator: Actuator, rollout: Rollout) -> Rollout:
    try:
        rollout = act(units, actuator, rollout)
        if rollout.state.ended or not rollout.settled:
            return rollout
        with units() as unit:
            rollout = step(unit, rollout.id)
        return act(units, actuator, rollout)
    except ConflictError:
        return rollout
