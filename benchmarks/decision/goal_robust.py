"""Goal 6: equal arms under drift, a changed mix of segments, and users whose requests are related."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import draws
import numpy as np
import ours
import rollouts
from figures import Case, errors, share

from gatekeeper.model.finding import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from figures import Figure
    from numpy.typing import NDArray

ALPHA = 0.05
LOOKS, PER_ARM = 100, 100
DAY = 24.0
AR, AR_SPREAD = 0.9, 0.5
LOOK_EVERY, USERS_PER_ARM = 200, 4000
MIX_LOOK_EVERY, MIX_PER_ARM = 500, 10_000
TURNS, ICC, RATE = 8, 0.3, 0.1


def _rate(log_odds: NDArray[np.float64] | float) -> Any:  # noqa: ANN401 - a float or an array by shape
    return 1.0 / (1.0 + np.exp(-log_odds))


def _diurnal(replicates: int, rng: np.random.Generator) -> Callable[[int], float]:
    """Return a rate that both arms share and that swings between about 2 and 13 % over 24 looks."""
    del replicates, rng
    return lambda look: float(_rate(-3.0 + np.sin(2.0 * np.pi * look / DAY)))


def _wandering(replicates: int, rng: np.random.Generator) -> Callable[[int], NDArray[np.float64]]:
    """Return a rate around 5 % that both arms share and whose log odds wander, each replicate on its own path."""
    path = [AR_SPREAD * rng.standard_normal(replicates)]
    for _ in range(LOOKS):
        path.append(AR * path[-1] + AR_SPREAD * np.sqrt(1.0 - AR**2) * rng.standard_normal(replicates))
    return lambda look: np.asarray(_rate(-3.0 + path[look]))


def _drift(kind: Callable[..., Any], name: str, replicates: int, rng: np.random.Generator) -> list[Figure]:
    """Look a hundred times at two arms whose common rate moves."""
    asked = ours.stream("refusal_rate", 0.0, 0.02, alpha=ALPHA)
    rate = kind(replicates, rng)
    looks = draws.as_counts(draws.counts(rng, replicates, LOOKS, PER_ARM, (rate, rate)))
    return errors(name, ours.judge(asked, looks, replicates), ALPHA, promotion=False)


def _mix(name: str, replicates: int, rng: np.random.Generator, *, declared: bool) -> list[Figure]:
    """Judge equal arms whose traffic differs: 70/30 against 60/40 of two segments with rates 2 and 10 %."""
    policy: dict[str, Any] = {
        "metrics": {"refusal_rate": {"max_increase": 0, "detect": "1pp"}},
        "error_budget": {"false_rollback": ALPHA},
    }
    if declared:
        policy["segments"] = ["segment"]
    rolled = np.zeros(replicates, np.bool_)
    for i in range(replicates):
        arm = rollouts.taking_turns(MIX_PER_ARM)
        hard = rng.random(len(arm)) < np.where(arm, 0.4, 0.3)
        refused = rng.random(len(arm)) < np.where(hard, 0.1, 0.02)
        table = rollouts.table(arm, refused=refused, segment=np.where(hard, "hard", "easy"))
        rolled[i] = rollouts.verdict(table, policy, MIX_LOOK_EVERY)[0] is VerdictKind.ROLLBACK
    return [share(name, "false rollback", rolled, ALPHA if declared else None)]


def _users(name: str, replicates: int, rng: np.random.Generator, *, shuffled: bool, known: bool) -> list[Figure]:
    """Judge equal arms of users with eight related turns each (ICC .3), one after the other or shuffled."""
    policy = {
        "metrics": {"refusal_rate": {"max_increase": 0, "detect": "3pp"}},
        "error_budget": {"false_rollback": ALPHA},
    }
    users = 2 * USERS_PER_ARM // TURNS
    spread = (1.0 - ICC) / ICC
    rolled = np.zeros(replicates, np.bool_)
    for i in range(replicates):
        own = rng.beta(RATE * spread, (1.0 - RATE) * spread, users)
        user = np.repeat(np.arange(users), TURNS)
        if shuffled:
            user = rng.permutation(user)
        columns = {"cluster_id": np.char.add("user-", user.astype(str))} if known else {}
        refused = rng.random(len(user)) < own[user]
        table = rollouts.table(user % 2 == 1, refused=refused, **columns)
        rolled[i] = rollouts.verdict(table, policy, LOOK_EVERY)[0] is VerdictKind.ROLLBACK
    return [share(name, "false rollback", rolled, ALPHA if known else None)]


def cases() -> list[Case]:
    """List the goal's simulations."""
    return [
        Case(goal=6, name="A/A, common daily swing", run=partial(_drift, _diurnal), replicates=4000),
        Case(goal=6, name="A/A, common AR drift", run=partial(_drift, _wandering), replicates=4000),
        Case(goal=6, name="A/A, other mix of segments, declared", run=partial(_mix, declared=True), replicates=4000),
        Case(goal=6, name="A/A, other mix of segments, unknown", run=partial(_mix, declared=False), replicates=200),
        *[
            Case(
                goal=6, name=f"A/A, users' turns {how}, {what}", run=partial(_users, shuffled=s, known=k), replicates=n
            )
            for how, s, what, k, n in (
                ("in a row", False, "cluster_id", True, 4000),
                ("shuffled", True, "cluster_id", True, 4000),
                ("in a row", False, "unknown", False, 200),
            )
        ],
    ]
