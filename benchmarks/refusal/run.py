"""Measure the refusal detector: the patterns alone, then with a model that saw neither the source nor the question.

Then the shipped model on the ordinary answers of four models, and its speed. Needs scikit-learn.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import data
import learn
import numpy as np

from gatekeeper.metrics._refusal import detect, head_of, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SHRUGS = {None, "", "disclaimer, then goes on"}


def shares(flagged: NDArray[np.bool_], declined: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return precision, recall and F1."""
    right = float((flagged & declined).sum())
    precision, recall = right / max(1, flagged.sum()), right / max(1, declined.sum())
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def sources(full: learn.Table, patterns: NDArray[np.bool_], model: NDArray[np.bool_]) -> None:
    """Print a line a source: precision, recall and F1 of the patterns and of the unseen model."""
    labels = [row.declined for row in full.rows]
    known = np.array([label is not None for label in labels])
    declined = np.array([bool(label) for label in labels])
    print(
        "| source | rows | patterns: P | R | F1 | model, source unseen: P | R | F1 |\n|---|---|---|---|---|---|---|---|"
    )
    of_one_set = full.sources != data.OTHER
    groups = {source: full.sources == source for source in dict.fromkeys(full.sources)}
    for source, rows in (groups | {"the six of one set": of_one_set, "all": of_one_set | ~of_one_set}).items():
        at = known & rows
        figures = (*shares(patterns[at], declined[at]), *shares(model[at], declined[at]))
        print(f"| {source} | {at.sum()} | " + " | ".join(f"{each:.3f}" for each in figures) + " |")


def patterns_alone(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Return what the patterns alone say."""
    return np.array([told(head_of(text)) not in SHRUGS for text in texts])


def wrong(full: learn.Table, flagged: NDArray[np.bool_], count: int) -> None:
    """Print some of the rows that the unseen model flags and people did not, drawn by seed."""
    found = [row for row, flag in zip(full.rows, flagged, strict=True) if flag and row.declined is False]
    print(f"{len(found)} wrong flags")
    for number, place in enumerate(np.random.default_rng(0).permutation(len(found))[:count], start=1):
        row = found[place]
        print(f"{number} {row.source} {row.label} {row.question!r}\n  {row.text[:400]!r}")


def ordinary(*, show: bool) -> list[str]:
    """Print the flagged share of each model's ordinary answers; return all the answers."""
    every: list[str] = []
    for name, texts in data.outputs().items():
        flagged = [text for text in texts if detect(text).refused]
        print(f"{name}: {len(flagged)} of {len(texts)} flagged, {len(flagged) / len(texts):.2%}")
        for text in flagged if show else ():
            print(f"  {text[:400]!r}")
        every += texts
    return every


def main() -> None:
    """Print the tables; `--flagged` adds each flagged ordinary answer, `--wrong N` draws N of the wrong flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flagged", action="store_true")
    parser.add_argument("--wrong", type=int, default=0)
    asked = parser.parse_args()
    full = learn.table(data.rows())
    texts, unseen = [row.text for row in full.rows], learn.unseen(full) > 0
    sources(full, patterns_alone(texts), unseen)
    wrong(full, unseen, asked.wrong)
    every = ordinary(show=asked.flagged)
    for label, batch in (("ordinary answers", every), ("labelled answers", texts)):
        began = time.process_time()
        for text in batch:
            detect(text)
        print(f"{label}: {len(batch) / (time.process_time() - began):,.0f} a second on one core")


if __name__ == "__main__":
    main()
