"""What one live look costs: CPU time of 10 metrics in 20 segments, after a short and after a long history.

Run it: `python benchmarks/decision/look_cost.py`. A look is what the control plane does at each turn: read the stored
evidence, fold the new samples in, store it again, and write the report. What it stored last it need not decode again,
but for a cold look. The long history is not made of rows: each stream's tallies are drawn as counts and merged into
those of a short one.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from batches import Look

from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.fold import ALL, begin, fold, question_for, test_named
from gatekeeper.decide.kept import Kept
from gatekeeper.decide.policyfile import policy_from_mapping
from gatekeeper.decide.weigh import weigh
from gatekeeper.model.arm import Arm
from gatekeeper.model.sample import Sample
from gatekeeper.stats._histogram import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gatekeeper.decide.evidence import Evidence
    from gatekeeper.decide.plan import Plan
    from gatekeeper.model.finding import Report

SEGMENTS = 20
START = 10_000
"""Rows from which every history begins."""

WINDOWS = 60
"""Windows in which a long history's rates came."""

RATES = {
    "error_rate": 0.01,
    "refusal_rate": 0.02,
    "policy_violation_rate": 0.005,
    "degeneration_rate": 0.01,
    "json_validity": 0.99,
    "tool_call_validity": 0.97,
    "task_success": 0.92,
}
FALLS = {"json_validity", "tool_call_validity", "task_success"}
"""Rates of which less is harm."""

TIMES = {"ttft_ms": 120.0, "tpot_ms": 20.0, "latency_ms": 2_000.0}
"""Medians in milliseconds; each is lognormal, judged by its p95."""

LOG_SD = 0.6
FARTHEST = 6.0
"""How far values lie from the median, at most, in log standard deviations."""

TWO_PI = 2.0 * np.pi

KEY = ("rollout", 0, 0)

PARTS = ("read", "fold", "weigh", "store", "look")


class Tally(Look):
    """Hold a long history of one stream as counts."""

    def __init__(self, rng: np.random.Generator, size: int, strata: int, *, rate: float, median: float) -> None:
        """Draw the counts of `size` observations, half in each arm, by that rate, or about that median."""
        self._rng, self._size, self._strata, self._rate, self._median = rng, size, strata, rate, median

    def windows(self, past: float) -> NDArray[np.float64]:
        """Draw counts (windows, strata, 4); windows grow as the judge's do."""
        del past
        ends = np.geomspace(START / 10, self._size, WINDOWS + 1)
        each = np.round(np.diff(ends) / (2 * self._strata)).astype(np.int64)[:, None].repeat(self._strata, axis=1)
        yes = [self._rng.binomial(each, self._rate) for _ in range(2)]
        return np.stack([each, yes[0], each, yes[1]], axis=2).astype(np.float64)

    def histograms(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Draw both arms' log histograms."""
        return self._drawn(), self._drawn()

    def _drawn(self) -> dict[str, Any]:
        middle, reach = np.log(self._median), FARTHEST * LOG_SD
        at = np.arange(round((middle - reach) / WIDTH), round((middle + reach) / WIDTH))
        z = ((at + 0.5) * WIDTH - middle) / LOG_SD
        share = np.exp(-0.5 * z**2) * WIDTH / (LOG_SD * np.sqrt(TWO_PI))
        count = self._rng.poisson(share * self._size / 2).astype(np.float64)
        return {"at": at[count > 0], "count": count[count > 0]}


def policy() -> Plan:
    """Return the plan of a policy of ten metrics."""
    margins: dict[str, Any] = {name: {"max_decrease" if name in FALLS else "max_increase": "1pp"} for name in RATES}
    margins |= {f"{name}.p95": {"max_increase": "10%"} for name in TIMES}
    return compile_policy(policy_from_mapping({"segments": ["workload"], "metrics": margins}))


def rows(rng: np.random.Generator, size: int, start: int) -> list[Sample]:
    """Draw samples of both arms, one each in turn."""
    yes = {name: rng.random(size) < rate for name, rate in RATES.items()}
    times = {name: median * np.exp(LOG_SD * rng.standard_normal(size)) for name, median in TIMES.items()}
    segment = rng.integers(SEGMENTS, size=size)
    return [
        Sample(
            request_id=f"r{start + i}",
            ts=1_700_000_000.0 + start + i,
            arm=Arm.CANDIDATE if i % 2 else Arm.BASELINE,
            segment={"workload": f"w{segment[i]:02d}"},
            error="timeout" if yes["error_rate"][i] else None,
            refused=bool(yes["refusal_rate"][i]),
            policy_violation=bool(yes["policy_violation_rate"][i]),
            degenerate=bool(yes["degeneration_rate"][i]),
            json_valid=bool(yes["json_validity"][i]),
            tool_call_valid=bool(yes["tool_call_validity"][i]),
            task_success=bool(yes["task_success"][i]),
            **{name: float(values[i]) for name, values in times.items()},
        )
        for i in range(size)
    ]


def history(plan: Plan, rng: np.random.Generator, size: int) -> Evidence:
    """Return evidence after `size` samples."""
    evidence = fold(plan, 0, begin(plan, 0), rows(rng, START, 0))
    more = size - START
    if more <= 0:
        return evidence
    for stream in plan.stages[0].streams:
        tracks = evidence.tracks[stream.name]
        test, name = test_named(stream.test), stream.spec.name
        for label, track in tracks.items():
            strata, part = (SEGMENTS, more) if label == ALL else (1, more // SEGMENTS)
            tally = Tally(rng, part, strata, rate=RATES.get(name, 0.0), median=TIMES.get(name, 1.0))
            state = test.absorb([question_for(stream, evidence.segments, label)], [track.state], [tally])[0]
            tracks[label] = replace(track, state=state)
    return replace(
        evidence,
        samples=size,
        compared=size,
        units=[size // 2, size // 2],
        mix=[[size // (2 * SEGMENTS)] * 2 for _ in range(SEGMENTS)],
    )


def look(
    plan: Plan, stored: bytes, new: list[Sample], kept: Kept, spent: dict[str, list[float]]
) -> tuple[bytes, Report]:
    """Do one look, noting the CPU milliseconds of each of its parts."""
    marks = [time.process_time()]
    evidence = kept.read(KEY, orjson.loads(stored))
    marks.append(time.process_time())
    evidence = fold(plan, 0, evidence, new)
    marks.append(time.process_time())
    report = weigh(plan, 0, evidence, look=evidence.looks, now_s=0.0)
    marks.append(time.process_time())
    text = orjson.dumps(kept.write(KEY, evidence))
    marks.append(time.process_time())
    for name, ms in zip(("read", "fold", "weigh", "store"), np.diff(marks) * 1e3, strict=True):
        spent[name].append(float(ms))
    spent["look"].append(1e3 * (marks[-1] - marks[0]))
    return text, report


def measured(size: int, looks: int, per_look: int, seed: int) -> dict[str, float]:
    """Return the median CPU milliseconds of a look and its parts, and the stored kilobytes; the first look warms up.

    cold: of a whole look that follows one of another process, or of this one before it was restarted.
    """
    rng, plan, kept = np.random.default_rng(seed), policy(), Kept()
    stored = orjson.dumps(history(plan, rng, size).to_json())
    spent: dict[str, list[float]] = {name: [] for name in PARTS}
    cold: dict[str, list[float]] = {name: [] for name in PARTS}
    for i in range(looks + 1):
        stored, _ = look(plan, stored, rows(rng, per_look, size + i * per_look), kept, spent)
    for i in range(looks + 1, 2 * looks + 2):
        stored, _ = look(plan, stored, rows(rng, per_look, size + i * per_look), Kept(), cold)
    found = {name: statistics.median(values[1:]) for name, values in spent.items()}
    return found | {"cold": statistics.median(cold["look"][1:]), "kB": len(stored) / 1e3}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=30)
    parser.add_argument("--per-look", type=int, default=200, help="new samples of a look")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print("| samples before | read | fold | weigh | store | whole look, ms CPU | cold look | stored, kB |")
    print("|---|---|---|---|---|---|---|---|")
    for size in (10_000, 10_000_000):
        found = measured(size, asked.looks, asked.per_look, asked.seed)
        cells = " | ".join(f"{found[name]:.1f}" for name in (*PARTS, "cold"))
        print(f"| {size:,} | {cells} | {found['kB']:,.0f} |")


if __name__ == "__main__":
    main()
