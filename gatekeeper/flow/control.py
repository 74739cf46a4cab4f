"""The control loop's one turn: level-triggered, idempotent, safe to run in every replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.errors import ConflictError
from gatekeeper.flow import trials
from gatekeeper.flow.act import act
from gatekeeper.flow.services import publish_missing
from gatekeeper.flow.step import step

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.rollout import Rollout
    from gatekeeper.ports import Actuator, Evalsets, Unit


def turn(units: Callable[[], Unit], actuator: Actuator, evalsets: Evalsets | None = None) -> list[Rollout]:
    """Act and step every rollout with something left to do, and look at every gate that runs; return the rollouts.

    evalsets: those that gate stages may ask; None where there are none.

    A rollout that somebody else moved meanwhile is left for the next turn.
    """
    with units() as unit:
        publish_missing(unit)
        waiting = unit.rollouts.unfinished()
        gates = unit.trials.list(running=True)
    for gate in gates:
        with units() as unit:
            trials.look(unit, gate.id)
    return [_one(units, actuator, evalsets, rollout) for rollout in waiting]


def _one(units: Callable[[], Unit], actuator: Actuator, evalsets: Evalsets | None, rollout: Rollout) -> Rollout:
    try:
        rollout = act(units, actuator, rollout)
        if rollout.state.ended or not rollout.settled:
            return rollout
        with units() as unit:
            rollout = step(unit, rollout.id, evalsets)
        return act(units, actuator, rollout)
    except ConflictError:
        return rollout
