"""The baseline against itself: what a policy's judge does where nothing differs, and what could mislead it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gatekeeper.decide.columns import ARMS
from gatekeeper.decide.compile import whole
from gatekeeper.decide.fold import begin, fold_columns
from gatekeeper.decide.weigh import verdict_of
from gatekeeper.errors import InputError
from gatekeeper.flow import _calibrate_words as words
from gatekeeper.flow._baseline import read_baseline, readings
from gatekeeper.flow._moving import Moving, moving, without_moves
from gatekeeper.flow._related import Related, by_group, by_time
from gatekeeper.model.arm import Arm
from gatekeeper.model.finding import VerdictKind
from gatekeeper.model.policy import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

    from gatekeeper.decide.columns import Columns
    from gatekeeper.decide.plan import Plan
    from gatekeeper.flow._baseline import Reading
    from gatekeeper.model.policy import Policy

LOOKS = 25
SLOW_BINS = 12
"""Time bins whose means are taken away before neighbours are compared."""

SURE_Z = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Hold a share of replicates with its 95 % interval (Wilson)."""

    count: int
    of: int
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Hold what was found.

    budget: false rollback that one of the policy's stages may have. unit: what was split, `cluster_id` or `request`.
    per_request: the same split, judged as if requests were independent; None where there are no clusters. by_metric:
    rollbacks each question had a part in. warnings: what could mislead the judge, and what to do.
    """

    samples: int
    clusters: int
    unit: str
    replicates: int
    look_every: int
    seed: int
    budget: float
    false_rollback: Share
    promoted: Share
    per_request: Share | None
    by_metric: dict[str, int]
    moving: tuple[Moving, ...]
    related: tuple[Related, ...]
    warnings: tuple[str, ...]


def calibrate(
    samples: Any,  # noqa: ANN401 - as `analyze` takes
    policy: Policy,
    *,
    replicates: int = 200,
    look_every: int | None = None,
    seed: int = 1,
    tick: Callable[[float], None] | None = None,
    reading: Callable[[float], None] | None = None,
) -> Calibration:
    """Split the baseline's rows in two at random, again and again, and judge one half against the other.

    Whole clusters are split where rows name one and the policy's unit is not the request; else requests. look_every:
    samples between looks; None: 25 looks. tick: told the share of replicates done; reading: how many bytes of a file
    are read.

    Raises:
        InputError: the samples cannot be read, too few are the baseline's, or a number is out of range.
    """
    for name, value in (("replicates", replicates), ("look_every", look_every)):
        if value is not None and value < 1:
            raise InputError(f"{name} is {value}; expected 1 or more")
    columns = read_baseline(samples, policy, tick=reading)
    plan = whole(policy, paired=False)
    every = look_every or max(len(columns) // LOOKS, 1)
    rng = np.random.default_rng(seed)
    clustered = bool((columns.cluster >= 0).any()) and policy.unit is Unit.CLUSTER
    alone = -1 - np.arange(len(columns))
    units = np.unique(
        np.where(columns.cluster >= 0, columns.cluster, alone) if clustered else alone, return_inverse=True
    )[1]
    plans = [plan, replace(plan, policy=replace(plan.policy, unit=Unit.REQUEST))] if clustered else [plan]
    ends: list[list[_End]] = [[] for _ in plans]
    for number in range(replicates):
        arms = rng.integers(0, 2, int(units.max()) + 1)[units]
        for one, some in zip(plans, ends, strict=True):
            some.append(_judged(one, columns, arms, every))
        if tick is not None:
            tick((number + 1) / replicates)
    moves, relations = _diagnosed(columns, plan, rng)
    judged = [stream for stream in plan.stages[0].streams if stream.judged]
    found = Calibration(
        samples=len(columns),
        clusters=len(np.unique(columns.cluster[columns.cluster >= 0])),
        unit="cluster_id" if clustered else "request",
        replicates=replicates,
        look_every=every,
        seed=seed,
        budget=sum(stream.question.alpha_rollback + stream.alpha_segments for stream in judged),
        false_rollback=_share(ends[0], VerdictKind.ROLLBACK),
        promoted=_share(ends[0], VerdictKind.PROMOTE),
        per_request=_share(ends[1], VerdictKind.ROLLBACK) if clustered else None,
        by_metric={s.name: sum(s.name in end.failed for end in ends[0]) for s in judged},
        moving=tuple(moves),
        related=tuple(relations),
        warnings=(),
    )
    return replace(found, warnings=tuple(words.warnings(found, policy)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """Hold how one replicate ended: its verdict, and the questions that failed."""

    verdict: VerdictKind
    failed: frozenset[str]


def _judged(plan: Plan, columns: Columns, arms: Any, every: int) -> _End:  # noqa: ANN401 - an array of 0 and 1
    """Judge one split, look by look, up to the first decision."""
    codes = np.array([ARMS.index(Arm.BASELINE), ARMS.index(Arm.CANDIDATE)], np.int8)[arms]
    rows = replace(columns, arm=codes)
    evidence = begin(plan, 0)
    verdict = VerdictKind.HOLD
    for start in range(0, len(rows), every):
        evidence = fold_columns(plan, 0, evidence, rows.take(slice(start, start + every)), rough=True)
        verdict = verdict_of(plan, 0, evidence)
        if verdict is not VerdictKind.HOLD:
            break
    failed = frozenset(
        name for name, tracks in evidence.tracks.items() if any(track.failed for track in tracks.values())
    )
    return _End(verdict=verdict, failed=failed)


def _share(ends: list[_End], verdict: VerdictKind) -> Share:
    """Return the share of replicates with a verdict, with Wilson's interval."""
    n, hits = len(ends), sum(end.verdict is verdict for end in ends)
    z2 = SURE_Z * SURE_Z
    middle = (hits + z2 / 2.0) / (n + z2)
    half = SURE_Z * math.sqrt(hits * (n - hits) / n + z2 / 4.0) / (n + z2)
    return Share(count=hits, of=n, value=hits / n, lower=max(middle - half, 0.0), upper=min(middle + half, 1.0))


def _diagnosed(columns: Columns, plan: Plan, rng: Generator) -> tuple[list[Moving], list[Related]]:
    """Look for drift, clusters, segments that differ, and relations in time."""
    some = readings(plan.stages[0].streams, columns)
    moves: list[Moving] = []
    relations: list[Related] = []
    for one in some:
        move = moving(one, columns.ts[one.rows], columns.cluster[one.rows], tests=len(some))
        moves += [move] if move else []
        relations += _relations(one, move, columns, rng, len(some))
    return moves, relations


def _relations(one: Reading, move: Moving | None, columns: Columns, rng: Generator, tests: int) -> list[Related]:
    """Look for relations between one metric's requests, apart from slow moves."""
    ts, cluster = columns.ts[one.rows], columns.cluster[one.rows]
    still = without_moves(one, ts, move, SLOW_BINS)
    found = [by_group(one.name, "cluster_id", still, cluster, rng)]
    for key, (codes, _) in columns.segments.items():
        found.append(by_group(one.name, key, still, codes[one.rows], rng))
    found.append(by_time(one.name, still, cluster, rng, tests))
    return [relation for relation in found if relation is not None]
