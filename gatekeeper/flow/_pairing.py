"""Halves of pairs find each other, also when they come far apart; a pair is seen whole, when its later half is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.decide.columns import ARMS, Columns
from gatekeeper.flow._order import joined
from gatekeeper.model.arm import Arm

MOST_WAITING = 100_000
"""Halves that wait for their other half; the oldest of more are given up, and counted as having none."""

MOSTLY = 0.8
"""Share of the candidate's samples that must have a partner for the data to be judged as pairs."""

BASELINE, CANDIDATE = ARMS.index(Arm.BASELINE), ARMS.index(Arm.CANDIDATE)


@dataclass(frozen=True, slots=True)
class Placed:
    """Hold rows in the order in which they are seen; at: the number of the row with which each is seen, ascending.

    upto: every row numbered below this has been placed, or waits for its partner.
    """

    columns: Columns
    at: NDArray[np.int64]
    upto: int


def mostly_pairs(columns: Columns) -> bool:
    """Tell whether data are pairs: at least four in five of the candidate's samples have a partner."""
    if not bool((columns.pair >= 0).any()):
        return False
    candidate = columns.arm == CANDIDATE
    return bool(candidate.any()) and float(np.mean(partners(columns)[candidate] >= 0)) >= MOSTLY


def partners(columns: Columns) -> NDArray[np.int64]:
    """Return each row's partner in the other arm, by pair_id, -1 without one; extra rows of a pair have none."""
    partner = np.full(len(columns), -1, np.int64)
    if not bool((columns.pair >= 0).any()):
        return partner
    ids, firsts = [], []
    for arm in (BASELINE, CANDIDATE):
        rows = np.flatnonzero((columns.pair >= 0) & (columns.arm == arm))
        pairs, first = np.unique(columns.pair[rows], return_index=True)
        ids.append(pairs)
        firsts.append(rows[first])
    _, mine, theirs = np.intersect1d(ids[0], ids[1], assume_unique=True, return_indices=True)
    a, b = firsts[0][mine], firsts[1][theirs]
    partner[a], partner[b] = b, a
    return partner


class Pairing:
    """Place rows that are no pairs as they come, and pairs where their later half comes."""

    def __init__(self, *, paired: bool) -> None:
        self._paired = paired
        self._seen = 0
        self._waiting: Columns | None = None
        self._numbers: NDArray[np.int64] = np.zeros(0, np.int64)

    def place(self, run: Columns, *, last: bool) -> Placed:
        """Place the next rows, which are in time order; last: those that still wait have no partner."""
        start, self._seen = self._seen, self._seen + len(run)
        numbers = np.arange(start, self._seen)
        if not self._paired:
            return Placed(run, numbers, self._seen)
        if self._waiting is not None:
            run, numbers = joined([self._waiting, run]), np.concatenate([self._numbers, numbers])
        partner = partners(run)
        wait = np.zeros(0, np.int64) if last else np.flatnonzero((partner < 0) & (run.pair >= 0))[-MOST_WAITING:]
        at = np.maximum(np.maximum(numbers, numbers[partner]), start)
        at[partner < 0] = np.maximum(numbers[partner < 0], start)
        self._waiting, self._numbers = run.take(wait), numbers[wait]
        go = np.ones(len(run), np.bool_)
        go[wait] = False
        rows = np.flatnonzero(go)
        rows = rows[np.argsort(at[rows], kind="stable")]
        return Placed(run.take(rows), at[rows], self._seen)
