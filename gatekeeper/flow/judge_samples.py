"""Exchanges with a judge's opinion: what stands in their samples, and why where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gatekeeper.flow.judge import comparisons, opinions_of
from gatekeeper.metrics._answer import prompt_text, read_answer
from gatekeeper.model.arm import Arm
from gatekeeper.model.judging import Choice, Question, Rubric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.flow.judge import Judging
    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.judging import Comparison, Opinion
    from gatekeeper.model.sample import Sample

Scored = tuple["Sample", dict[str, Any]]

WINS = {Choice.FIRST: 0.0, Choice.TIE: 0.5, Choice.SECOND: 1.0}
"""What a comparison of baseline (first) and candidate counts for the candidate."""


def spoken(exchange: Exchange) -> str:
    """Return what a judge can judge of an exchange: the answer's words, "" for none."""
    answer = read_answer(exchange.response) if exchange.error is None else None
    return (answer.text or answer.refusal).strip() if answer is not None else ""


async def graded(
    exchanges: Sequence[Exchange], scored: Sequence[Scored], rubric: Rubric, judging: Judging
) -> list[Scored]:
    """Return the samples with `extra.judge_score`, the rubric's scale as 0 to 1."""
    rows = [row for row, exchange in enumerate(exchanges) if spoken(exchange)]
    questions = [
        Question(rubric=rubric, prompt=prompt_text(exchanges[row].request), answers=(spoken(exchanges[row]),))
        for row in rows
    ]
    opinions = dict(zip(rows, await opinions_of(questions, judging), strict=True))
    return [_graded(one, opinions.get(row), rubric) for row, one in enumerate(scored)]


def _graded(scored: Scored, opinion: Opinion | None, rubric: Rubric) -> Scored:
    sample, labels = scored
    if opinion is None or opinion.score is None:
        return sample, _unscored(labels, "judge_score", opinion.reason if opinion else "no words to judge")
    share = (opinion.score - rubric.low) / (rubric.high - rubric.low)
    labels = {**labels, "judge": {"rubric": rubric.name, "score": opinion.score}}
    return replace(sample, extra={**sample.extra, "judge_score": share}), labels


async def preferred(
    exchanges: Sequence[Exchange], scored: Sequence[Scored], rubric: Rubric, judging: Judging
) -> list[Scored]:
    """Return the samples with `extra.judge_win` where both arms answered one request: 1 won, .5 a tie, 0 lost."""
    halves: dict[str, dict[Arm, int]] = {}
    for row, exchange in enumerate(exchanges):
        if exchange.pair_id is not None and spoken(exchange):
            halves.setdefault(exchange.pair_id, {}).setdefault(exchange.arm, row)
    pairs = [
        (arms[Arm.BASELINE], arms[Arm.CANDIDATE])
        for arms in halves.values()
        if {Arm.BASELINE, Arm.CANDIDATE} <= set(arms)
    ]
    questions = [
        Question(
            rubric=rubric,
            prompt=prompt_text(exchanges[first].request),
            answers=(spoken(exchanges[first]), spoken(exchanges[second])),
        )
        for first, second in pairs
    ]
    said: dict[int, tuple[Comparison, bool]] = {}
    for (first, second), comparison in zip(pairs, await comparisons(questions, judging), strict=True):
        said[first], said[second] = (comparison, True), (comparison, False)
    return [_preferred(one, *said.get(row, (None, False))) for row, one in enumerate(scored)]


def _preferred(scored: Scored, comparison: Comparison | None, is_baseline: bool) -> Scored:  # noqa: FBT001 - a cell of a row
    sample, labels = scored
    if comparison is None or comparison.choice is None:
        reason = comparison.reason if comparison else "not one of two answers to one request"
        return sample, _unscored(labels, "judge_win_rate", reason)
    win = WINS[comparison.choice]
    win = 1.0 - win if is_baseline else win
    labels = {
        **labels,
        "judge": {"win": win, "same_in_both_orders": comparison.ordered.choice is comparison.swapped.choice},
    }
    return replace(sample, extra={**sample.extra, "judge_win": win}), labels


def _unscored(labels: dict[str, Any], metric: str, reason: str) -> dict[str, Any]:
    return {**labels, "unscored": {**labels.get("unscored", {}), metric: reason}}
