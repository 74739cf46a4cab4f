"""A judge against people: how far it agrees with them, and what sways it besides the answers' worth."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from gatekeeper.errors import Fault, InputError
from gatekeeper.flow.judge import comparisons, opinions_of
from gatekeeper.model.judging import Choice, Question, Rubric
from gatekeeper.stats._agreement import Figure, kappa, paired_difference, share

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gatekeeper.flow.judge import Judging
    from gatekeeper.model.judging import Comparison

SHAPES = (
    'expected {"prompt": ..., "first": ..., "second": ..., "human": "first|second|tie"} in every line, '
    'or {"prompt": ..., "answer": ..., "human": true|false|a score} in every line'
)
LEAST = 2
MOST_FAULTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Hold what people said: of two answers which is better, or of one whether it is good."""

    prompt: str
    answers: tuple[str, ...]
    human: Choice | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Hold a judge against people.

    labelled: lines; judged: those of which it had an opinion; reasons: why it had none, with counts. accuracy: share
    in which it says as people do. kappa: agreement beyond chance. For pairs: decided: accuracy where people had a
    favourite; position: share in which the order of the answers changed its choice; first: of these, share in which it
    took the one that stood first; else None. length: how much more often than people it favours the longer answer.
    """

    kind: str
    labelled: int
    judged: int
    reasons: dict[str, int]
    accuracy: Figure
    kappa: Figure
    decided: Figure | None
    position: Figure | None
    first: Figure | None
    length: Figure


class _Line(msgspec.Struct, forbid_unknown_fields=False):
    prompt: str
    human: bool | float | str
    first: str | None = None
    second: str | None = None
    answer: str | None = None


def read_labelled(path: Path, rubric: Rubric) -> list[Labelled]:
    """Read what people said, a JSON object a line.

    Raises:
        InputError: not readable, too little, or lines that are none of either kind, each named.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as exc:
        raise InputError(f"{path}: {exc.strerror}") from exc
    found: list[Labelled] = []
    faults: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            one = _labelled(msgspec.json.decode(line, type=_Line), rubric, found)
        except (msgspec.DecodeError, UnicodeDecodeError, InputError) as exc:
            faults.append(str(Fault(str(exc), file=str(path), line=number)))
            continue
        found.append(one)
    if faults:
        more = [f"and {len(faults) - MOST_FAULTS:,} more"] if len(faults) > MOST_FAULTS else []
        raise InputError("\n".join([*faults[:MOST_FAULTS], *more, SHAPES]))
    if len(found) < LEAST:
        raise InputError(f"{path}: holds {len(found)} labelled lines, expected {LEAST} or more, better 100\n{SHAPES}")
    return found


def _labelled(line: _Line, rubric: Rubric, earlier: Sequence[Labelled]) -> Labelled:
    if earlier and (len(earlier[0].answers) == 1) is (line.answer is None):
        raise InputError("found pairs and single answers in one file")
    if line.first is not None and line.second is not None and line.answer is None:
        if not isinstance(line.human, str) or line.human not in set(Choice):
            raise InputError(f"human is {line.human!r}; expected {', '.join(Choice)}")
        return Labelled(prompt=line.prompt, answers=(line.first, line.second), human=Choice(line.human))
    if line.answer is None or line.first is not None or line.second is not None:
        raise InputError("found neither first and second nor answer")
    if isinstance(line.human, str):
        raise InputError(f"human is {line.human!r}; expected true, false or a score of the rubric's scale")
    good = line.human if isinstance(line.human, bool) else line.human >= rubric.passes
    return Labelled(prompt=line.prompt, answers=(line.answer,), human=good)


async def calibrate(labelled: Sequence[Labelled], rubric: Rubric, judging: Judging) -> Calibration:
    """Ask the judge about all that people labelled, and hold it against them.

    Raises:
        EngineError: the judge is out of order.
        InputError: it had no opinion of anything.
    """
    questions = [Question(rubric=rubric, prompt=one.prompt, answers=one.answers) for one in labelled]
    if len(labelled[0].answers) > 1:
        return _pairs(labelled, await comparisons(questions, judging))
    opinions = await opinions_of(questions, judging)
    reasons = _reasons([one.reason for one in opinions if one.score is None])
    both = [
        (bool(one.human), opinion.score >= rubric.passes, len(one.answers[0]))
        for one, opinion in zip(labelled, opinions, strict=True)
        if opinion.score is not None
    ]
    _refuse_nothing(len(both), reasons)
    right = sum(human is judge for human, judge, _ in both)
    table = np.zeros((2, 2), np.int64)
    np.add.at(table, tuple(np.array([(human, judge) for human, judge, _ in both], np.int64).T), 1)
    return Calibration(
        kind="answers",
        labelled=len(labelled),
        judged=len(both),
        reasons=reasons,
        accuracy=share(right, len(both)),
        kappa=kappa(table),
        decided=None,
        position=None,
        first=None,
        length=_leniency(both),
    )


def _leniency(both: Sequence[tuple[bool, bool, int]]) -> Figure:
    """Return how much more the judge agrees with long answers: of those above the median, its passes less people's."""
    middle = statistics.median(length for _, _, length in both)
    longer = [(human, judge) for human, judge, length in both if length > middle]
    more = sum(judge and not human for human, judge in longer)
    less = sum(human and not judge for human, judge in longer)
    return paired_difference(more, less, len(longer))


def _pairs(labelled: Sequence[Labelled], found: Sequence[Comparison]) -> Calibration:
    reasons = _reasons([one.reason for one in found if one.choice is None])
    both = [(one, comparison) for one, comparison in zip(labelled, found, strict=True) if comparison.choice is not None]
    _refuse_nothing(len(both), reasons)
    order = [str(choice) for choice in Choice]
    table = np.zeros((len(order), len(order)), np.int64)
    at = [[order.index(str(said)) for said in (one.human, comparison.choice)] for one, comparison in both]
    np.add.at(table, tuple(np.array(at, np.int64).T), 1)
    decided = [(one, comparison) for one, comparison in both if one.human is not Choice.TIE]
    turned = [comparison for _, comparison in both if comparison.ordered.choice is not comparison.swapped.choice]
    # A judge that turned took a place: in both orders the first, or in both the second; or one of its words was a tie.
    places = [(one.ordered.choice, one.swapped.choice) for one in turned if Choice.TIE not in _choices(one)]
    return Calibration(
        kind="pairs",
        labelled=len(labelled),
        judged=len(both),
        reasons=reasons,
        accuracy=share(int(np.trace(table)), len(both)),
        kappa=kappa(table),
        decided=share(sum(one.human is comparison.choice for one, comparison in decided), len(decided)),
        position=share(len(turned), len(both)),
        first=share(sum(ordered is Choice.FIRST for ordered, _ in places), len(places)),
        length=_longer(both),
    )


def _choices(one: Comparison) -> tuple[Choice | None, Choice | None]:
    return one.ordered.choice, one.swapped.choice


def _longer(both: Sequence[tuple[Labelled, Comparison]]) -> Figure:
    """Return how much more often than people the judge takes the longer answer, where both have a favourite."""
    more = less = n = 0
    for one, comparison in both:
        lengths = [len(answer) for answer in one.answers]
        if lengths[0] == lengths[1] or Choice.TIE in {one.human, comparison.choice}:
            continue
        longer = Choice.FIRST if lengths[0] > lengths[1] else Choice.SECOND
        n += 1
        more += comparison.choice is longer and one.human is not longer
        less += comparison.choice is not longer and one.human is longer
    return paired_difference(more, less, n)


def _reasons(reasons: Sequence[str]) -> dict[str, int]:
    return {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}


def _refuse_nothing(judged: int, reasons: dict[str, int]) -> None:
    if not judged:
        why = "; ".join(f"{reason} ({count:,})" for reason, count in list(reasons.items())[:3])
        raise InputError(f"the judge had no opinion of anything: {why}")
