"""The least evidence over all thresholds, for many claims at once.

The log e-value is convex in the counts beyond a threshold, falls in the low arm's and rises in the others: a stretch of
thresholds has no less than it has for its first low and its last other counts. Stretches that may hold the least are
cut further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatekeeper.stats import _thresholds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from gatekeeper.stats._thresholds import Claim

    Array = NDArray[np.float64]
    Places = NDArray[np.int64]

FIRST = 13
"""Thresholds, about, that are looked at first."""

PIECES = 12
"""Parts into which a stretch that may hold the least is cut."""

FEW = 64
"""Points up to which all are summed at once: finding out which need not be would cost as much."""

BLOCK = 512
"""Points worked on together: their terms then stay in the processor's cache."""


class Bets(NamedTuple):
    """Hold what each claim is bet on: log gains for each count beyond, (claims, counts, bets), and what n cost.

    fixed: log weights and what does not depend on the threshold, (claims, bets).
    """

    gains: Array
    fixed: Array


def least(claims: Sequence[Claim], bets: Bets, t: Array, enough: Array | None = None) -> Array:
    """Return each claim's least log e-value over all thresholds, shape (claims,).

    t: the share that its low arm has beyond the threshold, at least. The low arms are not empty. enough: below this a
    claim's least is not looked for any further, and what was found, which is no less, is returned; None: all are exact.
    """
    if enough is None:
        return _searched(claims, bets, t, None)
    counts = np.array([_thresholds.at_quantile(claim, share) for claim, share in zip(claims, t.tolist(), strict=True)])
    best = _values(bets, np.arange(len(claims)), counts, _sum)
    left = np.flatnonzero(best >= enough)
    if len(left):
        some = Bets(bets.gains[left], bets.fixed[left])
        best[left] = _searched([claims[i] for i in left.tolist()], some, t[left], enough[left])
    return best


def _searched(claims: Sequence[Claim], bets: Bets, t: Array, enough: Array | None) -> Array:
    """Do what `least` does, beginning with many thresholds."""
    best = np.full(len(claims), np.inf)
    arms = _thresholds.Counts(claims)
    owner = np.arange(len(claims))
    cuts = _thresholds.ends([claim.low for claim in claims], t, FIRST)
    new = np.ones(cuts.shape, np.bool_)
    np.greater(cuts[:, 1:], cuts[:, :-1], out=new[:, 1:])
    while len(cuts):
        counts = arms.beyond(np.repeat(owner, cuts.shape[1]), cuts.ravel()).reshape(*cuts.shape, -1)
        _lower(best, bets, owner[np.nonzero(new)[0]], counts[new])
        wide = cuts[:, 1:] - cuts[:, :-1] > 1
        if enough is not None:
            wide &= (best >= enough)[owner, None]
        if not wide.any():
            break
        row, place = np.nonzero(wide)
        under = np.concatenate([counts[:, :-1, :1], counts[:, 1:, 1:]], axis=2)[wide]
        if len(row) > FEW:
            maybe = _values(bets, owner[row], under, _top) < best[owner[row]]
            row, place, under = row[maybe], place[maybe], under[maybe]
        open_ones = _values(bets, owner[row], under, _sum) < best[owner[row]]
        row, place = row[open_ones], place[open_ones]
        left, right, owner = cuts[row, place, None], cuts[row, place + 1, None], owner[row]
        cuts = left + (right - left) * np.arange(PIECES + 1) // PIECES
        new = np.empty(cuts.shape, np.bool_)
        new[:, 0] = new[:, -1] = False
        np.greater(cuts[:, 1:-1], cuts[:, :-2], out=new[:, 1:-1])
    return best


def _lower(best: Array, bets: Bets, owner: Places, counts: Array) -> None:
    """Lower each claim's best to its least log e-value at the counts (points, counts)."""
    if len(owner) <= FEW:
        np.minimum.at(best, owner, _values(bets, owner, counts, _sum))
        return
    top = _values(bets, owner, counts, _top)
    bar = best.copy()
    np.minimum.at(bar, owner, top + np.log(bets.fixed.shape[1]))
    low = top <= bar[owner]
    np.minimum.at(best, owner[low], _values(bets, owner[low], counts[low], _sum))


def _values(bets: Bets, owner: Places, counts: Array, of: Callable[[Array], Array]) -> Array:
    """Return what `of` makes of all bets' log gains (points, bets) at the counts (points, counts)."""
    found = np.empty(len(owner))
    for start in range(0, len(owner), BLOCK):
        part = slice(start, start + BLOCK)
        who, gains = owner[part], bets.gains[owner[part]]
        terms = gains[:, 0]
        terms *= counts[part, :1]
        for i in range(1, counts.shape[1]):
            more = gains[:, i]
            more *= counts[part, i, None]
            terms += more
        terms += bets.fixed[who]
        found[part] = of(terms)
    return found


def _top(terms: Array) -> Array:
    """Return the largest term, below which no log e-value lies."""
    return np.asarray(terms.max(axis=1))


def _sum(terms: Array) -> Array:
    """Return log e-values."""
    top = terms.max(axis=1)
    terms -= top[:, None]
    return np.asarray(top + np.log(np.exp(terms, out=terms).sum(axis=1)))
