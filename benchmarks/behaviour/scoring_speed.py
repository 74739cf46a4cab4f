"""Measure how many answers one core scores per second, all deterministic scorers together, and what each costs.

Run from the project's root, with the public answers beside it: python benchmarks/behaviour/scoring_speed.py
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper import registry
from gatekeeper.metrics._scoring import score_exchange
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWERS = Path(__file__).parents[3] / "shared" / "data" / "outputs"
CHARS = 1600
ROUNDS = 5


def exchanges() -> list[Exchange]:
    """Return each public answer as an exchange."""
    files = [gzip.decompress(path.read_bytes()) for path in sorted(ANSWERS.glob("*.jsonl.gz"))]
    lines = [json.loads(line) for body in files for line in body.splitlines()]
    return [
        Exchange(
            id=str(line["id"]),
            ts=0.0,
            arm=Arm.BASELINE,
            request={"messages": [{"role": "user", "content": line["instruction"]}]},
            response={"choices": [{"message": {"content": line["output"]}, "finish_reason": "stop"}]},
        )
        for line in lines
    ]


def cpu_us(score: Callable[[Exchange], object], answers: list[Exchange]) -> float:
    """Return microseconds of CPU time per answer, the best of five rounds."""
    spent = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for answer in answers:
            score(answer)
        spent.append(time.process_time() - start)
    return min(spent) / len(answers) * 1e6


def main() -> None:
    """Print microseconds per answer and the share of answers flagged, a scorer a line; then all together."""
    answers = exchanges()
    if not answers:
        sys.exit("the public answers do not stand beside the project: shared/data/outputs/*.jsonl.gz")
    mean = sum(len(each.response["choices"][0]["message"]["content"]) for each in answers if each.response) / len(
        answers
    )
    print("| scorer | µs per answer | flagged |\n|---|---|---|")
    for name in registry.names("metrics"):
        module = registry.load("metrics", name)
        if hasattr(module, "score"):
            flagged = sum(module.score(answer).value is True for answer in answers)
            print(f"| {name} | {cpu_us(module.score, answers):.1f} | {flagged} of {len(answers)} |")
    rate = 1e6 / cpu_us(score_exchange, answers)
    print(f"all: {rate:,.0f} answers/s per core at {mean:,.0f} characters, {rate * mean / CHARS:,.0f}/s at {CHARS:,}")


if __name__ == "__main__":
    main()
