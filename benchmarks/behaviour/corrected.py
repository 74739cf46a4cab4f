"""Simulate pairs, a detector that errs differently in each arm, and labels; count how often intervals hold the truth.

Run from the project's root: python benchmarks/behaviour/corrected.py. Seeded; about half a minute.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import page
from numpy.typing import NDArray

from gatekeeper.decide.correct import DISCORDANT, KINDS, correct

REPLICATES = 2000
SEED = 20260101
HEAD = (
    "case",
    "pairs",
    "labels: discordant + agreeing",
    "detector's difference",
    "true difference",
    "detector's interval holds it",
    "corrected difference holds it",
    "baseline's rate",
    "candidate's rate",
    "mean width",
)

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Hold a simulated comparison.

    truth: chances of a pair being one in neither arm, the candidate's alone, the baseline's alone, both. found, clean:
    by arm the detector's sensitivity and specificity.
    """

    name: str
    pairs: int
    truth: tuple[float, float, float, float]
    found: tuple[float, float]
    clean: tuple[float, float]
    discordant: int
    agreeing: int


RARE = (0.90, 0.04, 0.02, 0.04)
COMMON = (0.50, 0.15, 0.05, 0.30)
BIASED = {"found": (0.95, 0.7), "clean": (0.99, 0.96)}
LARGE = {"pairs": 2000, "truth": RARE}
CASES = (
    Case(name="candidate over-flagged", **LARGE, found=(1.0, 1.0), clean=(0.99, 0.94), discordant=60, agreeing=0),
    Case(name="both errors, labels of every kind", **LARGE, **BIASED, discordant=120, agreeing=400),
    Case(name="the same, few labels", **LARGE, **BIASED, discordant=60, agreeing=60),
    Case(name="frequent, both errors", pairs=805, truth=COMMON, **BIASED, discordant=100, agreeing=100),
    Case(name="no bias", **LARGE, found=(0.95, 0.95), clean=(0.99, 0.99), discordant=60, agreeing=200),
    Case(name="both errors, discordant pairs alone", **LARGE, **BIASED, discordant=60, agreeing=0),
)


def draw(case: Case, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return how many pairs the detector made of each kind, and the labels' counts by kind and truth."""
    true = rng.choice(KINDS, case.pairs, p=case.truth)
    said = np.zeros(case.pairs, np.int64)
    for arm, weight in enumerate((2, 1)):
        yes = (true & weight) > 0
        chance = np.where(yes, case.found[arm], 1.0 - case.clean[arm])
        said += weight * (rng.random(case.pairs) < chance)
    order = rng.permutation(case.pairs)
    differ = order[np.isin(said[order], DISCORDANT)][: case.discordant]
    both, neither = order[said[order] == KINDS - 1], order[said[order] == 0]
    flagged = min(len(both), max(case.agreeing // 2, case.agreeing - len(neither)))
    read = np.concatenate([differ, both[:flagged], neither[: case.agreeing - flagged]])
    labels = np.zeros((KINDS, KINDS), np.int64)
    np.add.at(labels, (said[read], true[read]), 1)
    return np.bincount(said, minlength=KINDS), labels


def measure(case: Case, replicates: int, seed: int) -> list[str]:
    """Return a row of the table."""
    rng = np.random.default_rng(seed)
    rates = (case.truth[2] + case.truth[3], case.truth[1] + case.truth[3])
    truths = (rates[1] - rates[0], *rates)
    held, raw_held, raw, width = np.zeros(3), 0, 0.0, 0.0
    for _ in range(replicates):
        sizes, labels = draw(case, rng)
        found = correct("refusal_rate", sizes, labels)
        if found is None:
            raise ValueError("a replicate without labels; expected some")
        for place, rate in enumerate((found.difference, found.baseline, found.candidate)):
            held[place] += rate.lower <= truths[place] <= rate.upper
        part = sizes / case.pairs
        error = np.sqrt(max(part[1] + part[2] - found.difference.raw**2, 0.0) / case.pairs)
        raw_held += abs(found.difference.raw - truths[0]) <= 1.96 * error
        raw += found.difference.raw
        width += found.difference.upper - found.difference.lower
    shares = held / replicates
    return [
        case.name,
        f"{case.pairs:,}",
        f"{case.discordant} + {case.agreeing}",
        f"{100 * raw / replicates:+.2f} pp",
        f"{100 * truths[0]:+.2f} pp",
        f"{raw_held / replicates:.1%}",
        *(f"{share:.1%}" for share in shares),
        f"{100 * width / replicates:.1f} pp",
    ]


def main() -> None:
    """Measure every case and write the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    asked = parser.parse_args()
    table = page.table(HEAD, [measure(case, asked.replicates, SEED + place) for place, case in enumerate(CASES)])
    print(table)
    if asked.replicates == REPLICATES:
        page.show("corrected", table)


if __name__ == "__main__":
    main()
