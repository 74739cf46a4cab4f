"""Measure what the policy scorer finds in public labelled texts, kind by kind, and how fast.

Run from the project's root, with the public texts beside it: python benchmarks/behaviour/violations.py
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from gatekeeper.metrics._phone import phones
from gatekeeper.metrics._sensitive import find

TEXTS = Path(__file__).parents[3] / "shared" / "data" / "pii" / "synth_dataset_v2.json"
KINDS = {
    "EMAIL_ADDRESS": "email",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "ssn",
    "IP_ADDRESS": "ip",
    "PHONE_NUMBER": "phone",
}
ROUNDS = 5

Place = tuple[str, int, int]


def labelled(text: dict[str, Any]) -> list[Place]:
    """Return (kind, start, end) of the spans that people labelled, of the kinds that are scored."""
    spans = [span for span in text["spans"] if span["entity_type"] in KINDS]
    return [(KINDS[span["entity_type"]], span["start_position"], span["end_position"]) for span in spans]


def detected(text: str) -> list[Place]:
    """Return (kind, start, end) of what the scorer finds; what is something else already is no telephone number."""
    found = [(each.kind, each.start, each.end) for each in find(text)]
    apart = [each for each in phones(text) if not any(start < each[1] and each[0] < end for _, start, end in found)]
    return found + [("phone", start, end) for start, end in apart]


def same(one: Place, other: Place) -> bool:
    """Tell whether two places are of one kind and overlap."""
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]


def main() -> None:
    """Print a table, a kind a line, and the texts per second of CPU time, the best of five rounds."""
    if not TEXTS.is_file():
        sys.exit("the public PII texts do not stand beside the project: shared/data/pii/synth_dataset_v2.json")
    texts = json.loads(TEXTS.read_text(encoding="utf-8"))
    pairs = [(labelled(text), detected(text["full_text"])) for text in texts]
    print("| kind | labelled | found | missed | false | recall | precision |\n|---|---|---|---|---|---|---|")
    for kind in KINDS.values():
        true = [(place, found) for places, found in pairs for place in places if place[0] == kind]
        hits = sum(any(same(place, each) for each in found) for place, found in true)
        wrong = sum(
            each[0] == kind and not any(same(each, place) for place in places)
            for places, found in pairs
            for each in found
        )
        recall, precision = hits / len(true), hits / max(hits + wrong, 1)
        print(f"| {kind} | {len(true)} | {hits} | {len(true) - hits} | {wrong} | {recall:.3f} | {precision:.3f} |")
    for name, scan in (("without phone", find), ("phone alone", phones)):
        spent = []
        for _ in range(ROUNDS):
            start = time.process_time()
            for text in texts:
                scan(text["full_text"])
            spent.append(time.process_time() - start)
        print(f"{name}: {len(texts) / min(spent):,.0f} texts/s per core")


main()
