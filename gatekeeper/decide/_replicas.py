"""Is an arm served by a single replica while times are judged? Told as a check, for a person to see; it never rules.

What is particular to one process (its machine, its neighbours, its caches) moves all of its times together. No
comparison of arms tells that from the release: on noise of that kind every rule rolls back more often than it promises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.model.finding import Check, Ruling

if TYPE_CHECKING:
    from gatekeeper.decide.plan import StagePlan

MILLISECONDS = "ms"


def timed(layout: StagePlan) -> tuple[str, ...]:
    """Return the names of the times that a stage judges, each once, in the policy's order; of the watched ones none."""
    judged = (stream for stream in layout.streams if stream.judged and stream.spec.unit == MILLISECONDS)
    return tuple(dict.fromkeys(stream.rule.name for stream in judged))


def single(names: tuple[str, ...], baseline: int | None, candidate: int | None) -> Check | None:
    """Warn where an arm is declared to have one replica; None where none is, or no time is judged.

    names: as `timed` gives them. baseline, candidate: the deployment's replicas, None where they are not told.
    """
    arms = [arm for arm, count in (("baseline", baseline), ("candidate", candidate)) if count == 1]
    if not names or not arms:
        return None
    who = "both arms run one replica each" if len(arms) > 1 else f"the {arms[0]} runs one replica"
    text = (
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} judged while {who}: what slows one replica (its "
        "machine, its neighbours, its caches) looks like the release, and the promised error rates do not cover it; "
        "run several replicas an arm"
    )
    return Check(name="replicas", ruling=Ruling.INCONCLUSIVE, reason=text)
