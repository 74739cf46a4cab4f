"""Measure what `gatekeeper --help` costs in processor time beside the helps of peers and a bare interpreter.

    .venv/bin/python benchmarks/start/run.py

The runs take turns, so that a machine whose speed changes is equally unkind to all; the least of each counts, for
neighbours only add. The limit in the design is 0.3 s on a machine whose bare interpreter takes about 15 ms: 20 times.
"""

import resource
import subprocess
import sys

ROUNDS = 9
BARE = "python -c pass"
PEERS = {
    BARE: ["-c", "pass"],
    "gatekeeper --help": ["-m", "gatekeeper", "--help"],
    "alembic --help": ["-m", "alembic.config", "--help"],
    "celery --help": ["-m", "celery", "--help"],
}


def cpu_s(args: list[str]) -> float:
    """Return the processor seconds of one run of the interpreter, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *args], capture_output=True, check=True)  # noqa: S603 - what stands above
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main() -> None:
    """Print a line a peer."""
    took = {name: [cpu_s(args)] for name, args in PEERS.items()}
    for _ in range(ROUNDS - 1):
        for name, args in PEERS.items():
            took[name].append(cpu_s(args))
    for name, times in took.items():
        print(f"{name:20} {min(times) * 1e3:6.0f} ms {min(times) / min(took[BARE]):6.1f} x bare")


if __name__ == "__main__":
    main()
