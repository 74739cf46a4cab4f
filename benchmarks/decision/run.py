"""Hold the judge beside other rules on the same simulated data: `run.py`, or `run.py --replicates 200` quickly.

Writes results.json, the tables of docs/decision-quality.md and its two plots. Every number is seeded.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import compare
import compare_pages
import pages


def main() -> None:
    """Run all comparisons on two processes and write everything down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, help="at most so many of each simulation; nothing is written")
    parser.add_argument("--processes", type=int, default=2, choices=(1, 2))
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.processes) as pool:
        tasks = {name: pool.submit(compare.measure, name, asked.replicates) for name in compare.SIMULATIONS}
        results: dict[str, Any] = {}
        for name, task in tasks.items():
            results[name] = task.result()
            print(f"{name}: {results[name]['seconds']:.1f} s", flush=True)
    tables = compare_pages.tables(results)
    print("\n\n".join(tables.values()))
    if asked.replicates is not None:
        return
    pages.RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, text in tables.items():
        pages.show(name, text)
    compare_pages.plots(results)


if __name__ == "__main__":
    main()
