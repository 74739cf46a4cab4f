"""One candidate walking through a policy's stages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gatekeeper.model.split import Split


class RolloutState(StrEnum):
    """Name where a rollout stands; all but RUNNING are terminal."""

    RUNNING = "running"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen."""
        return self is not RolloutState.RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Hold a rollout's whole state; the database row is the truth.

    policy_text is the policy file as given. stage: index of the current stage. All times unix seconds by the
    database's clock; stage_started_at is None until the stage's split has been seen in the world. version: counts
    transitions (compare-and-swap); epoch: bumped by a rollback, so that evidence and actions of before are void.
    rollback_requested never unsets. split_seen differs from split_wanted while an action is open. reason: why it
    stands where it stands, in words. pause_reason is "" unless paused.
    """

    id: str
    service: str
    policy_name: str
    policy_digest: str
    policy_text: str
    baseline_id: str
    candidate_id: str
    salt: str
    state: RolloutState = RolloutState.RUNNING
    stage: int = 0
    stage_started_at: float | None = None
    paused: bool = False
    approved_stage: int = -1
    rollback_requested: bool = False
    reason: str = ""
    version: int = 0
    epoch: int = 1
    split_wanted: Split
    split_seen: Split | None = None
    created_at: float
    created_by: str = ""
    ended_at: float | None = None

    @property
    def settled(self) -> bool:
        """Tell whether the world shows the split that was wanted."""
        return self.split_seen is not None and self.split_seen.order == self.split_wanted.order

    @property
    def finished(self) -> bool:
        """Tell whether nothing is left to do: it has ended and the world shows it."""
        return self.state.ended and self.settled
