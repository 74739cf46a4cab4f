"""Measure the judge's eight goals: `goals.py` all, `goals.py 3` one, `--replicates 200` quickly.

Figures are kept in goals.json and, on a full run, shown in docs/decision-quality.md.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TYPE_CHECKING

import goal_errors
import goal_gate
import goal_pairs
import goal_quantile_pairs
import goal_quantiles
import goal_robust
import goal_speed
import numpy as np
import pages

if TYPE_CHECKING:
    from figures import Case, Figure

MODULES = (goal_errors, goal_speed, goal_pairs, goal_quantiles, goal_robust, goal_gate)
LATER = (goal_quantile_pairs,)
"""Modules that came after the first figures: their cases stand last, so that no earlier case's seed changes."""

SEED = 20_261


def cases() -> list[Case]:
    """List every simulation, by goal; later ones after all."""
    first = sorted((case for module in MODULES for case in module.cases()), key=lambda case: case.goal)
    return [*first, *(case for module in LATER for case in module.cases())]


def measure(index: int, most: int | None) -> tuple[list[Figure], float]:
    """Run the case of this number; return its figures and the seconds it took."""
    case = cases()[index]
    started = time.perf_counter()
    replicates = case.replicates if most is None else min(case.replicates, most)
    figures = case.run(case.name, replicates, np.random.default_rng([SEED, index]))
    return figures, time.perf_counter() - started


def main() -> None:
    """Run what was asked for, print a table, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("goals", nargs="*", type=int, choices=range(1, 9), help="which goals (all)", metavar="GOAL")
    parser.add_argument("--replicates", type=int, help="at most so many of each simulation; the page stays as it is")
    parser.add_argument("--processes", type=int, default=2, choices=(1, 2))
    parser.add_argument("--case", default="", help="only cases whose name holds this text")
    asked = parser.parse_args()
    chosen = [
        (index, case)
        for index, case in enumerate(cases())
        if (not asked.goals or case.goal in asked.goals) and asked.case in case.name
    ]
    found: dict[int, list[Figure]] = {}
    with ProcessPoolExecutor(asked.processes) as pool:
        tasks = {pool.submit(measure, index, asked.replicates): (index, case) for index, case in chosen}
        for task in as_completed(tasks):
            index, case = tasks[task]
            found[index], seconds = task.result()
            print(f"goal {case.goal}, {case.name}: {seconds:.1f} s", flush=True)
            print("\n".join(pages.line(figure) for figure in found[index]), flush=True)
    by_goal: dict[int, list[Figure]] = {}
    for index, case in chosen:
        by_goal.setdefault(case.goal, []).extend(found[index])
    print(pages.goals_table({goal: [one.to_json() for one in figures] for goal, figures in by_goal.items()}))
    if asked.replicates is None:
        pages.keep_goals(by_goal, part=bool(asked.case))


if __name__ == "__main__":
    main()
