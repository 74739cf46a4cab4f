"""Asking a judge many questions: none twice, none beyond the budget, and none whose failure stops the others."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatekeeper.decide.judging import compared, digest, messages, read_opinion, reply_schema, swapped
from gatekeeper.errors import EngineError
from gatekeeper.flow._judge_budget import Spent
from gatekeeper.model.judging import Opinion, Question
from gatekeeper.ports import Grader, Opinions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.model.judging import Comparison

REPLY_TOKENS = 400
OUT_OF_ORDER = 10
"""Questions in a row that fail, whatever was tried, after which the judge is out of order."""

OVER_BUDGET = "the budget is spent"


def fresh_fence() -> str:
    """Return a word that nobody can guess."""
    return f"data-{secrets.token_hex(8)}"


@dataclass(slots=True, kw_only=True)
class Judging:
    """Hold who is asked, what is known and what may be spent, and count how it went.

    concurrency: questions in flight. fence: a random word for the marks around the texts. seen: called with the number
    of questions settled so far. cached: opinions that were known already.
    """

    grader: Grader
    opinions: Opinions
    spent: Spent
    concurrency: int = 8
    fence: Callable[[], str] = fresh_fence
    seen: Callable[[int], None] = field(default=lambda _count: None)
    cached: int = 0
    settled: int = 0
    failures: int = 0


async def opinions_of(questions: Sequence[Question], judging: Judging) -> list[Opinion]:
    """Return the judge's opinion of each question, in their order.

    Raises:
        EngineError: the judge is out of order: many questions in a row came to nothing.
    """
    found: list[Opinion] = [Opinion()] * len(questions)
    waiting = iter(enumerate(questions))

    async def work() -> None:
        for place, question in waiting:
            found[place] = await _opinion(question, judging)
            judging.settled += 1
            judging.seen(judging.settled)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(judging.concurrency):
                group.create_task(work())
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return found


async def comparisons(questions: Sequence[Question], judging: Judging) -> list[Comparison]:
    """Return what the judge makes of pairs of answers, each asked in both orders."""
    both = [each for question in questions for each in (question, swapped(question))]
    found = await opinions_of(both, judging)
    return [compared(*found[place : place + 2]) for place in range(0, len(found), 2)]


async def _opinion(question: Question, judging: Judging) -> Opinion:
    """Return a known opinion, or ask; what fails is tried again at the next run, and so is not kept."""
    key = digest(question, judging.grader.name)
    known = judging.opinions.get(key)
    if known is not None:
        judging.cached += 1
        return known
    asked = messages(question, judging.fence())
    size = sum(len(message["content"].encode("utf-8", "replace")) for message in asked)
    reserved = judging.spent.reserve(size, REPLY_TOKENS)
    if reserved is None:
        return Opinion(reason=OVER_BUDGET)
    said = await judging.grader.ask(asked, reply_schema(question))
    judging.spent.settle(reserved, said)
    if said.text is None:
        judging.failures += 1
        if judging.failures >= OUT_OF_ORDER:
            raise EngineError(f"{judging.failures} questions in a row came to nothing; the last: {said.reason}")
        return Opinion(reason=said.reason)
    judging.failures = 0
    opinion = read_opinion(question, said.text)
    if opinion.told:
        judging.opinions.put(key, opinion)
    return opinion
