"""The targets on public labelled texts, where they stand beside the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.metrics._phone import phones
from gatekeeper.metrics._sensitive import find

TEXTS = Path(__file__).parents[4] / "shared" / "data" / "pii" / "synth_dataset_v2.json"
KINDS = {"EMAIL_ADDRESS": "email", "CREDIT_CARD": "card", "IBAN_CODE": "iban", "US_SSN": "ssn", "IP_ADDRESS": "ip"}
LEAST = {"email": (1.0, 1.0), "card": (0.97, 1.0), "iban": (0.95, 1.0), "ssn": (1.0, 1.0), "ip": (1.0, 0.88)}


@pytest.fixture(scope="module")
def labelled() -> list[dict[str, Any]]:
    if not TEXTS.is_file():
        pytest.skip("the public PII texts do not stand beside the project")
    texts: list[dict[str, Any]] = json.loads(TEXTS.read_text(encoding="utf-8"))
    return texts


@pytest.mark.parametrize("kind", [*LEAST, "phone"])
def test_recall_and_precision(labelled: list[dict[str, Any]], kind: str):
    hits = missed = false = 0
    for text in labelled:
        names = {**KINDS, "PHONE_NUMBER": "phone"}
        true = [
            (span["start_position"], span["end_position"])
            for span in text["spans"]
            if names.get(span["entity_type"]) == kind
        ]
        found = [(each.start, each.end) for each in find(text["full_text"]) if each.kind == kind]
        found = phones(text["full_text"]) if kind == "phone" else found
        overlaps = [any(start < last and first < end for first, last in true) for start, end in found]
        hits += sum(overlaps)
        false += len(found) - sum(overlaps)
        missed += sum(not any(start < last and first < end for start, end in found) for first, last in true)
    recall, precision = LEAST.get(kind, (0.6, 0.6))
    assert hits / (hits + missed) >= recall
    assert hits / (hits + false) >= precision
