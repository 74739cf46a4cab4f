"""Say whether one state of a rollout may be written over another; every store asks this before it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.model.rollout import RolloutState

if TYPE_CHECKING:
    from gatekeeper.model.rollout import Rollout


def refusal(stored: Rollout, wanted: Rollout, *, transition: bool) -> str | None:
    """Return why `wanted` must not replace `stored`, in words; None when it may.

    A transition was read at the version before its own; any other write stays at the stored version. A requested
    rollback never unsets and nothing is promoted past it; an epoch never falls, and a promotion keeps it; an ended
    rollout keeps its state.
    """
    expected = stored.version + 1 if transition else stored.version
    promoted = wanted.state is RolloutState.PROMOTED
    moved = (wanted.state, wanted.epoch) != (stored.state, stored.epoch)
    reasons = (
        (
            wanted.version != expected,
            f"it stands at version {stored.version}, this write is for version {wanted.version}",
        ),
        (wanted.epoch < stored.epoch, f"it stands at epoch {stored.epoch}, this write is of epoch {wanted.epoch}"),
        (
            stored.rollback_requested and not wanted.rollback_requested,
            "a rollback was requested, which nothing takes back",
        ),
        (stored.state.ended and wanted.state is not stored.state, f"it has ended: {stored.state}"),
        (moved and not transition, "its state and epoch change only by a transition with an audit entry"),
        (promoted and wanted.rollback_requested, "a rollback was requested, so it cannot be promoted"),
        (promoted and wanted.epoch != stored.epoch, "its epoch moved, so it cannot be promoted"),
    )
    return next((words for refused, words in reasons if refused), None)
