"""Make exchanges of the public answers of two models to the same 805 prompts, as if they were two releases.

Run from the project's root, with the public answers beside it:
python benchmarks/behaviour/pairs.py Mistral-7B-Instruct-v0.2 Mistral-7B-Instruct-v0.3 > exchanges.jsonl
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWERS = Path(__file__).parents[3] / "shared" / "data" / "outputs"
MODELS = tuple(sorted(path.name.removesuffix(".jsonl.gz").partition("_")[2] for path in ANSWERS.glob("*.jsonl.gz")))


def answers(model: str) -> list[dict[str, Any]]:
    """Return a model's answers, in the order of the prompts."""
    with gzip.open(ANSWERS / f"alpacaeval_{model}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def exchanges(baseline: str, candidate: str) -> Iterator[dict[str, Any]]:
    """Yield both models' answers as exchanges, pair by pair."""
    for number, pair in enumerate(zip(answers(baseline), answers(candidate), strict=True)):
        for arm, line in zip(("baseline", "candidate"), pair, strict=True):
            yield {
                "id": f"{arm}-{number}",
                "ts": float(number),
                "arm": arm,
                "pair_id": f"prompt-{number}",
                "segment": pair[0].get("dataset"),
                "request": {"messages": [{"role": "user", "content": line["instruction"]}]},
                "response": {"choices": [{"message": {"content": line["output"]}, "finish_reason": "stop"}]},
            }


def main() -> None:
    """Print exchanges, a JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("baseline", choices=MODELS)
    parser.add_argument("candidate", choices=MODELS)
    asked = parser.parse_args()
    for exchange in exchanges(asked.baseline, asked.candidate):
        sys.stdout.write(json.dumps(exchange) + "\n")


if __name__ == "__main__":
    main()
