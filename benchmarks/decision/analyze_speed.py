"""How fast and how small `gatekeeper.analyze` is: `analyze_speed.py`, or `analyze_speed.py --rows 20000` quickly.

Six metrics by twenty segments. JSON lines are timed beside a parse-only floor (orjson over the same file), an Arrow
table in samples a second by the clock and by CPU time, since its columns and metrics are worked on side by side. The
quickest of some runs counts: JSON lines and rollouts in CPU time. The peak of memory is that of a process of its
own at two file sizes. A replicate of the rollout is 10,000 samples of each arm, looked at a hundred times.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

import gatekeeper

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 20_260
CHUNK = 50_000
SEGMENTS = 20
PER_ARM, LOOK_EVERY = 10_000, 200

POLICY: dict[str, Any] = {
    "segments": ["segment"],
    "metrics": {
        "error_rate": {"max_increase": "0.2pp"},
        "refusal_rate": {"max_increase": "0.2pp"},
        "json_validity": {"max_decrease": "0.2pp"},
        "task_success": {"max_decrease": "0.5pp"},
        "ttft_ms.p95": {"max_increase": "2%"},
        "cost_usd": {"max_increase": "1%"},
    },
}
WHOLE: dict[str, Any] = {"metrics": POLICY["metrics"]}
"""Margins that so few samples prove nothing about: a rollout goes through all its looks."""


def main() -> None:
    """Measure each in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="samples of the file and the table")
    parser.add_argument("--times", type=int, default=4, help="how many times as many the larger file has")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, of which the quickest counts")
    parser.add_argument("--replicates", type=int, default=5, help="rollouts of a hundred looks")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peak:
        gatekeeper.analyze(asked.peak, POLICY)
        print(_peak_mb())
        return
    with tempfile.TemporaryDirectory() as folder:
        print("| measure | value |\n|---|---|")
        for measure in (
            partial(_lines, Path(folder), asked.rows, asked.times, asked.runs),
            partial(_arrow, asked.rows, asked.runs),
            partial(_rollouts, asked.replicates),
        ):
            for name, value in measure():
                print(f"| {name} | {value} |", flush=True)


def _lines(folder: Path, rows: int, times: int, runs: int) -> list[tuple[str, str]]:
    """Measure JSON lines: CPU time beside the floor, and the peak of memory at both sizes."""
    file, larger = folder / "samples.jsonl", folder / "larger.jsonl"
    _write(file, rows)
    floor, ours = _quickest(lambda: _parse(file), runs), _quickest(lambda: gatekeeper.analyze(file, POLICY), runs)
    first = _peak_of(file)
    _write(larger, rows * times)
    return [
        (f"JSON lines, {rows:,} samples, orjson alone", f"{floor:.2f} s"),
        (f"JSON lines, {rows:,} samples, analyze", f"{ours:.2f} s ({ours / floor:.2f} times the floor)"),
        (f"JSON lines, {rows:,} samples, peak of memory", f"{first:.0f} MB"),
        (f"JSON lines, {rows * times:,} samples, peak of memory", f"{_peak_of(larger):.0f} MB"),
    ]


def _arrow(rows: int, runs: int) -> list[tuple[str, str]]:
    """Measure a table in memory: ids in ascending order, as ULIDs are, and in none, as most UUIDs."""
    table = pa.concat_tables([_table(chunk, size, SEGMENTS) for chunk, size in _chunks(rows)]).combine_chunks()
    place = table.column_names.index("request_id")
    mixed = table.column("request_id").take(np.random.default_rng(SEED).permutation(rows)).combine_chunks()
    found = []
    for name, one in (("ascending", table), ("mixed", table.set_column(place, "request_id", mixed))):
        for clock, timer in (("by the clock", time.perf_counter), ("of CPU time", time.process_time)):
            took = _quickest(partial(gatekeeper.analyze, one, POLICY), runs, timer)
            speed = f"{took:.3f} s {clock} ({rows / took / 1e6:.2f} M samples/s)"
            found.append((f"Arrow table, {rows:,} samples, ids {name}", speed))
    return found


def _rollouts(replicates: int) -> list[tuple[str, str]]:
    """Measure rollouts of a hundred looks."""
    took = []
    for seed in range(replicates + 1):
        table = _table(seed, 2 * PER_ARM, 1)
        began = time.process_time()
        gatekeeper.analyze(table, WHOLE, look_every=LOOK_EVERY)
        took.append(time.process_time() - began)
    mean = float(np.mean(took[1:]))
    looks = 2 * PER_ARM // LOOK_EVERY
    return [(f"rollout of {looks} looks, a replicate", f"{mean:.3f} s (3,000 on 2 cores: {1500 * mean / 60:.1f} min)")]


def _chunks(rows: int) -> list[tuple[int, int]]:
    """Divide rows into seeds and sizes."""
    return [(start // CHUNK, min(CHUNK, rows - start)) for start in range(0, rows, CHUNK)]


def _table(chunk: int, rows: int, segments: int) -> pa.Table:
    """Draw samples of two arms that are alike, in time order, a hundred a second."""
    rng = np.random.default_rng([SEED, chunk])
    failed = rng.random(rows) < 0.01  # noqa: PLR2004 - a rate
    arm = rng.integers(0, 2, rows).astype(np.int8)
    segment = rng.integers(0, segments, rows).astype(np.int16)
    data: dict[str, Any] = {
        "ts": 1_750_000_000.0 + (chunk * CHUNK + np.arange(rows)) / 100.0,
        "request_id": pa.array([f"req-{chunk:06d}-{row:06d}" for row in range(rows)]),
        "arm": pa.DictionaryArray.from_arrays(arm, ["baseline", "candidate"]).cast(pa.string()),
        "segment": pa.DictionaryArray.from_arrays(segment, [f"tenant-{i}" for i in range(segments)]).cast(pa.string()),
        "error": pa.array(failed),
        "ttft_ms": np.round(rng.lognormal(5.5, 0.5, rows), 3),
        "cost_usd": np.round(rng.lognormal(-6.0, 0.4, rows), 6),
        "refused": rng.random(rows) < 0.03,  # noqa: PLR2004 - a rate
        "json_valid": rng.random(rows) < 0.98,  # noqa: PLR2004 - a rate
        "task_success": rng.random(rows) < 0.8,  # noqa: PLR2004 - a rate
    }
    return pa.table(data)


def _write(file: Path, rows: int) -> None:
    """Write samples as JSON lines."""
    with file.open("wb") as out:
        for chunk, size in _chunks(rows):
            out.writelines(
                orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in _table(chunk, size, SEGMENTS).to_pylist()
            )


def _parse(file: Path) -> None:
    """Parse every line and do nothing with it: no reader of JSON lines can be quicker."""
    with file.open("rb") as lines:
        for line in lines:
            orjson.loads(line)


def _quickest(run: Callable[[], object], runs: int, timer: Callable[[], float] = time.process_time) -> float:
    """Return the seconds of the quickest run, of CPU time unless told otherwise."""
    took = []
    for _ in range(runs):
        began = timer()
        run()
        took.append(timer() - began)
    return min(took)


def _peak_of(file: Path) -> float:
    """Return the most memory, in MB, of a process that analyses a file."""
    command = [sys.executable, __file__, "--peak", str(file)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - this script


def _peak_mb() -> float:
    """Return this process's most memory in MB, as Linux tells it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
