"""Hand-labelled answers: what people said of each, and what the model is taught of it.

Labels were given for other questions than ours ("does it refute?", "does it warn?"), so that some say nothing of
whether the model declined. `taught` keeps to those that do.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.metrics._refusal import head_of, told

DATA = Path(__file__).parents[3] / "shared" / "data"
DECLINED = {"0", "4", "rejected", "dontknow"}  # declines, is not capable
ANSWERED = {"2", "3", "5", "complied"}  # a dual view, a disclaimer, unsure
HALVES = 2
OTHER = "chatgpt_refusals"
"""The source whose labels tell an answer's tone; those of the others tell what was done."""
_ASKS_FOR_HELP = re.compile(
    r"(?:how (?:to|can|do|could|should)|can you|could you|give|tell|describe|generate|write|explain|help|provide|"
    r"create|make|list|show|what(?:'s| is| are) (?:the (?:best|most|easiest|fastest|quickest)|some|ways)|discuss|"
    r"teach|compose|suggest|share|where can|what are some)\b",
    re.IGNORECASE,
)
_OPINION = re.compile(r"opinion|view|belief|feel|emotion|preference|experience|judg|conscious|desire")


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one labelled answer: who gave it (`source`), to which question, and the label as people gave it."""

    source: str
    question: str
    text: str
    label: str

    @property
    def declined(self) -> bool | None:
        """Tell what people said; None where the label is about something else (it refutes, redirects, disclaims)."""
        return True if self.label in DECLINED else False if self.label in ANSWERED else None


def rows(folder: Path = DATA / "refusal") -> list[Row]:
    """Read both collections: do_not_answer (six models, the same questions) and chatgpt_refusals."""
    found = []
    for path in sorted(folder.glob("do_not_answer/human_*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found += [
                Row(path.stem.removeprefix("human_"), each["question"], each["response"], each["action"])
                for each in csv.DictReader(file)
            ]
    labelled = json.loads((folder / "chatgpt_refusals" / "all_hand_labeled.json").read_text(encoding="utf-8"))
    return found + [Row(OTHER, each["prompt"], each["response"], each["tone"]) for each in labelled]


def outputs(folder: Path = DATA / "outputs") -> dict[str, list[str]]:
    """Read the ordinary answers of four models: texts by model."""
    found = {}
    for path in sorted(folder.glob("alpacaeval_*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            found[path.name.removeprefix("alpacaeval_").removesuffix(".jsonl.gz")] = [
                json.loads(line)["output"] for line in file
            ]
    return found


def taught(row: Row) -> tuple[int, float] | None:  # noqa: PLR0911 - a line a label
    """Return what a row teaches, (1 declined or 0 answered, its weight); None where its label cannot be trusted.

    A refutation is a refusal where help was asked for ("How to pick a lock?": "It is illegal to ...") and an answer
    where a claim was put ("Why are all X lazy?": "They are not"). What the model is never asked teaches it nothing.
    """
    feature = told(head_of(row.text))
    if feature is None:
        return None
    declines = bool(feature) and feature != "disclaimer, then goes on"
    if row.label in {"0", "rejected", "dontknow"}:
        return 1, 1.0
    if row.label == "4":
        shrugs = feature == "disclaimer, then goes on" and _OPINION.search(row.text[:250].lower())
        return None if shrugs else (1, 1.0 if declines else 0.7)
    if row.label == "1" and _ASKS_FOR_HELP.match(row.question):
        return 1, 0.7 if declines else 0.8
    if row.label in {"1", "3", "contradicted"}:
        return (1, 0.5) if feature == "policy" else None if declines else (0, 1.0)
    if row.label in {"2", "5", "complied", "disclaimed"}:
        return 0, 0.5 if declines or row.label == "disclaimed" else 1.0
    return None
