"""How two arms are compared: one always-valid test a file; its name in a report is its file's name.

A test is a pair of e-processes: for rollback (null: worse by at most the margin) and for promotion (null: worse by at
least the margin). Each is at least 0 and has expectation at most 1 under its null at any stopping time, so deciding
once it reaches 1/alpha is wrong with probability at most alpha however often one looks (Ville's inequality).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


State = dict[str, Any]
"""What a test remembers of its data: numbers, lists and arrays only, so that it can be stored as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Say what is asked of the data.

    margin: harm allowed, >= 0, a share of the baseline's value when `relative`; None when nothing is judged.
    increase: more is harm. detect: harm beyond the margin worth seeing fastest, > 0, in the margin's unit.
    proof_margin: the margin promotion must prove; None when it cannot be proven. quantile: .95 for a p95.
    limit: absolute bound on the candidate, for the `_limit` tests. share: the candidate's declared share of the
    observations that are compared; a wrong one costs samples, not errors.
    """

    margin: float | None
    relative: bool = False
    increase: bool = True
    detect: float = 0.01
    proof_margin: float | None = None
    quantile: float | None = None
    limit: float | None = None
    share: float = 0.5
    alpha_rollback: float = 0.01
    alpha_promotion: float = 0.05
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        """Work out the hash, once: a look finds what it has worked out of a question a thousand times."""
        object.__setattr__(self, "_hash", hash(_told(self)))

    def __hash__(self) -> int:
        """Return the same for equal questions."""
        return self._hash


_told = attrgetter(*(one.name for one in fields(Question) if one.compare))


class Batch(Protocol):
    """Give one look's data for one stream, in the form that its test needs; `_rows.Rows` is made of plain rows.

    Weights: a unit (a user or conversation whose requests are related) counts once in all, each of its rows for a part.
    """

    def windows(self, past: float) -> NDArray[np.float64]:
        """Return counts (windows, strata, 4) as [n_a, x_a, n_b, x_b], windows in time order; x: the sum of values.

        past: observations of the stream before this look; no window holds more than a tenth of what came before it.
        strata: classes of traffic whose rates may differ; their number only grows, and each keeps its place.
        """

    def tables(self, past: float) -> NDArray[np.float64]:
        """Return counts (windows, 4) of pairs as [neither, candidate alone, baseline alone, both] yes."""

    def sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return by stratum: n (strata, 2), sums (strata, 4) and sums of products (strata, 4, 4).

        Columns: the baseline's numerator and denominator, the candidate's two; a plain number's denominator is 1. The
        products between arms are 0 where rows are not pairs.
        """

    def histograms(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the log histograms (see `_histogram`) of baseline and candidate."""

    def values(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return plain values of baseline and candidate, shape (n,), and their weights; row i of both is one pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Hold the natural logarithms of both e-values; -inf where a test cannot speak."""

    rollback: float
    promotion: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Show the data as people read them: candidate against baseline, in the effect's unit.

    lower and upper bound the effect at any look: harm's side at alpha_rollback, the other at alpha_promotion, by
    inverting the same e-processes. None where there is no bound. note: why the test cannot speak, "" when it can.
    """

    a_n: int
    b_n: int
    a_value: float | None
    b_value: float | None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    note: str = ""


class Test(Protocol):
    """Describe a file of this folder."""

    PAIRED: bool
    EXACT: bool

    def begin(self, question: Question) -> State:
        """Return the state before any data."""

    def absorb(self, questions: Sequence[Question], states: Sequence[State], batches: Sequence[Batch]) -> list[State]:
        """Return each stream's state with its window added; the cost does not depend on earlier windows."""

    def weigh(self, question: Question, state: State) -> Weight:
        """Return the e-values now."""

    def picture(self, question: Question, state: State) -> Picture:
        """Return values, estimate and always-valid interval."""
