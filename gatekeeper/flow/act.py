"""Bringing the world to what a rollout wants: write the split, read it back, and only then start the stage's clock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.rollout import Rollout
    from gatekeeper.ports import Actuator, Unit


def act(unit_factory: Callable[[], Unit], actuator: Actuator, rollout: Rollout) -> Rollout:
    """Write the wanted split and read it back; return the rollout, with `split_seen` when the world shows it.

    An action is open until the read-back equals what was wanted; a world that shows something newer settles nothing.
    The write is repeated while the action is open: the same write twice leaves the same world.
    """
    if rollout.settled:
        return rollout
    wanted = rollout.split_wanted
    actuator.write(wanted)
    if actuator.read(rollout.service) != wanted.order:
        return rollout
    with unit_factory() as unit:
        current = unit.rollouts.get(rollout.id, lock=True)
        if current.split_wanted.order != wanted.order or current.settled:
            return current
        started = current.stage_started_at
        if started is None and not current.state.ended:
            started = unit.clock.now()
        settled = replace(current, split_seen=wanted, stage_started_at=started)
        unit.rollouts.save(settled)
    return settled
