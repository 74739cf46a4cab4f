"""Run every benchmark of behaviour and write what it prints into docs/behaviour-quality.md.

Run from the project's root: python benchmarks/behaviour/run.py. What needs public data that do not stand beside the
project says so and leaves its part of the page as it is. (The refusal detector has its own: benchmarks/refusal/run.py.)
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import page

HERE = Path(__file__).parent
SCRIPTS = ("scoring_speed", "validation", "violations")


def main() -> None:
    """Run each script by itself, so that none measures what another left behind."""
    for name in SCRIPTS:
        ran = subprocess.run(  # noqa: S603 - our own scripts
            [sys.executable, str(HERE / f"{name}.py")], capture_output=True, text=True, check=False
        )
        if ran.returncode:
            print(f"{name}: {ran.stderr.strip()}")
            continue
        print(ran.stdout)
        table, _, lines = ran.stdout.rpartition("|\n")
        page.show(name, f"{table}|\n\n{lines.strip()}")
    subprocess.run([sys.executable, str(HERE / "corrected.py")], check=True)  # noqa: S603 - as above


if __name__ == "__main__":
    main()
