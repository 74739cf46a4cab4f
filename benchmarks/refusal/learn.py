"""Fit the linear model of refusals, and judge answers by models that never saw their source. Needs scikit-learn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import data
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from gatekeeper.metrics._refusal import head_of, told
from gatekeeper.metrics._refusal_model import FEATURES, Weights, grams, margin

if TYPE_CHECKING:
    from collections.abc import Iterable

STRENGTH = 4.0  # the inverse of the L2 penalty
SCALE = 0.2  # of a pattern feature beside a gram's value of 1 / sqrt(n)
FLOOR = 30.0  # a text of few known grams is not judged by them alone
GRAMS = 3000
ROWS_MIN, SOURCES_MIN = 10, 3  # a gram that fewer rows or sources use says more of the topic than of the manner
THRESHOLD = 0.4  # above the even point: a wrong flag costs more than a miss
NEVER = -99.0


@dataclass(frozen=True, slots=True)
class Table:
    """Hold rows as numbers: `counts` (rows by grams, 0 or 1), `features` (rows by FEATURES), targets and weights.

    `target` is -1 where a row teaches nothing.
    """

    rows: Sequence[data.Row]
    names: NDArray[np.str_]
    counts: sparse.csr_matrix
    features: NDArray[np.float64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]

    @property
    def sources(self) -> NDArray[np.str_]:
        """Return the source of each row."""
        return np.array([row.source for row in self.rows])


def table(rows: Sequence[data.Row]) -> Table:
    """Turn labelled rows into numbers."""
    heads = [head_of(row.text) for row in rows]
    found = [sorted(grams(head)) for head in heads]
    places = {gram: place for place, gram in enumerate(sorted({gram for each in found for gram in each}))}
    ends = np.cumsum([0, *(len(each) for each in found)])
    columns = np.array([places[gram] for each in found for gram in each])
    counts = sparse.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(rows), len(places)))
    lessons = [data.taught(row) or (-1, 0.0) for row in rows]
    return Table(
        rows=rows,
        names=np.array(list(places)),
        counts=counts,
        features=np.array([[told(head) == name for name in FEATURES] for head in heads], float),
        target=np.array([target for target, _ in lessons]),
        weight=np.array([weight for _, weight in lessons]),
    )


def inputs(known: sparse.csr_matrix, features: NDArray[np.float64]) -> sparse.csr_matrix:
    """Return what the regression is given: grams by 1 / sqrt(how many are known, FLOOR at least), features by SCALE."""
    size = np.maximum(np.asarray(known.sum(axis=1)).ravel(), FLOOR)
    return sparse.hstack([sparse.diags(1 / np.sqrt(size)) @ known, sparse.csr_matrix(features * SCALE)]).tocsr()


def fit(full: Table, use: NDArray[np.bool_]) -> tuple[Weights, LogisticRegression, NDArray[np.intp]]:
    """Fit on the rows of `use` that teach something: the weights, the regression, and the columns of `counts` it reads.

    Fitted twice: on all grams that enough rows and sources use, then on the GRAMS that weighed most.
    """
    picked = np.flatnonzero(use & (full.target >= 0))
    counts, target, weight = full.counts[picked], full.target[picked], full.weight[picked].copy()
    weight[target == 0] *= weight[target == 1].sum() / weight[target == 0].sum()
    sources = full.sources[picked]
    spread = sum((np.asarray(counts[sources == each].sum(axis=0)).ravel() > 0).astype(int) for each in set(sources))
    common = np.asarray(counts.sum(axis=0)).ravel() >= ROWS_MIN
    columns = np.flatnonzero(common & (spread >= min(SOURCES_MIN, len(set(sources)))))
    for _ in range(2):
        model = LogisticRegression(C=STRENGTH, solver="liblinear", tol=1e-4, max_iter=1000, random_state=0)
        model.fit(inputs(counts[:, columns], full.features[picked]), target, sample_weight=weight)
        used, strongest = columns, np.argsort(-np.abs(model.coef_[0][: len(columns)]), kind="stable")[:GRAMS]
        columns = columns[np.sort(strongest)]
    coefficients = [float(each) for each in model.coef_[0]]
    weights = Weights(
        grams=dict(zip(full.names[used].tolist(), coefficients[: len(used)], strict=True)),
        features=dict(zip(FEATURES, coefficients[len(used) :], strict=True)),
        bias=float(model.intercept_[0]),
        threshold=THRESHOLD,
        floor=FLOOR,
        scale=SCALE,
    )
    return weights, model, used


def judged(texts: Iterable[str], weights: Weights) -> NDArray[np.float64]:
    """Return each text's margin over the threshold by the package's own inference; above 0 declines."""
    heads = [head_of(text) for text in texts]
    told_of = [told(head) for head in heads]
    return np.array(
        [
            NEVER if feature is None else margin(head, feature, weights) - weights.threshold
            for head, feature in zip(heads, told_of, strict=True)
        ]
    )


def unseen(full: Table) -> NDArray[np.float64]:
    """Judge every row by a model that saw neither its source nor, where sources share questions, its question."""
    questions = sorted({row.question for row in full.rows})
    random.Random(0).shuffle(questions)  # noqa: S311 - a reproducible draw
    half = {question: place % data.HALVES for place, question in enumerate(questions)}
    halves, sources = np.array([half[row.question] for row in full.rows]), full.sources
    margins = np.full(len(full.rows), NEVER)
    for source in dict.fromkeys(sources):
        for one in range(data.HALVES):
            out = (sources == source) & (halves == one)
            weights, _, _ = fit(full, (sources != source) & (halves != one))
            margins[out] = judged((row.text for row in np.array(full.rows, object)[out]), weights)
    return margins
