"""What the commands of `gatekeeper judge` share: the endpoint, the opinions kept, the budget, and the progress bar."""

from __future__ import annotations

import asyncio
import gzip
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import orjson

from gatekeeper.adapters.graders import openai
from gatekeeper.adapters.opinions import OpinionFile
from gatekeeper.adapters.rubrics import read_rubric
from gatekeeper.cli._console import note, progress
from gatekeeper.errors import Fault, InputError
from gatekeeper.flow._judge_budget import Budget, Spent
from gatekeeper.flow.judge import OVER_BUDGET, Judging
from gatekeeper.flow.score import read_exchange
from gatekeeper.metrics._scoring import score_exchange
from gatekeeper.model.judging import Rubric
from gatekeeper.model.wire import sample_to_dict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gatekeeper.flow.judge_samples import Scored
    from gatekeeper.model.exchange import Exchange

    Judge = Callable[[Sequence[Exchange], Sequence[Scored], Rubric, Judging], Awaitable[list[Scored]]]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Costs:
    """Hold the bounds and prices given."""

    requests: int | None
    tokens: int | None
    usd: float | None
    prompt_usd: float
    reply_usd: float

    def spent(self) -> Spent:
        """Return a count that starts at nothing."""
        return Spent(
            Budget(
                requests=self.requests,
                tokens=self.tokens,
                usd=self.usd,
                prompt_usd_per_million=self.prompt_usd,
                completion_usd_per_million=self.reply_usd,
            )
        )


@dataclass(frozen=True)
class Wanted:
    """Hold which judge is asked, and how."""

    endpoint: str
    model: str
    api_key_env: str
    rubric: Path | None
    cache: Path
    concurrency: int
    timeout_s: float
    costs: Costs

    @cached_property
    def criteria(self) -> Rubric:
        """Return the rubric given, or the plain one."""
        return read_rubric(self.rubric) if self.rubric is not None else Rubric()

    @property
    def api_key(self) -> str:
        """Return the API key that the environment holds.

        Raises:
            InputError: the variable is named and not set.
        """
        if self.api_key_env and not os.environ.get(self.api_key_env):
            raise InputError(f"--api-key-env: {self.api_key_env} is not set; set it to the endpoint's API key")
        return os.environ.get(self.api_key_env, "") if self.api_key_env else ""


def asked(wanted: Wanted, total: int, work: Callable[[Judging], Awaitable[T]]) -> T:
    """Run work with a judge, showing how far it is; tell what it cost.

    total: questions.
    """
    spent = wanted.costs.spent()
    grader = openai.start(wanted.endpoint, model=wanted.model, api_key=wanted.api_key, timeout_s=wanted.timeout_s)
    with ExitStack() as stack:
        opinions = stack.enter_context(OpinionFile(wanted.cache))
        tick = stack.enter_context(progress("judging", total))
        judging = Judging(grader=grader, opinions=opinions, spent=spent, concurrency=wanted.concurrency, seen=tick)

        async def run() -> T:
            async with grader:
                return await work(judging)

        found = asyncio.run(run())
    note(_cost(judging))
    return found


def _cost(judging: Judging) -> str:
    spent = judging.spent
    money = f", {spent.usd:.4f} US dollars" if spent.usd else ""
    return (
        f"{judging.settled:,} questions: {judging.cached:,} known from before, {spent.requests:,} requests, "
        f"{spent.tokens:,} tokens{money}"
    )


def judged_samples(path: Path, wanted: Wanted, judge: Judge, output: Path | None) -> int:
    """Score exchanges, let the judge add to the samples, and write them down."""
    exchanges = _read(path)
    rubric = wanted.criteria
    scored = [score_exchange(exchange) for exchange in exchanges]
    found = asked(wanted, len(exchanges), lambda judging: judge(exchanges, scored, rubric, judging))
    with ExitStack() as stack:
        target = stack.enter_context(output.open("wb")) if output is not None else sys.stdout.buffer
        for sample, labels in found:
            line = {**sample_to_dict(sample), "labels": labels}
            target.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        target.flush()
    without = sum(OVER_BUDGET in labels.get("unscored", {}).values() for _, labels in found)
    if without:
        note(f"the budget is spent: {without:,} of {len(found):,} samples have no opinion; raise it and run again")
    return 0


def _read(path: Path) -> list[Exchange]:
    """Read exchanges whole: each must be one before anything is paid for.

    Raises:
        InputError: a line that is none, with its place.
    """
    found = []
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                found.append(read_exchange(line))
            except InputError as exc:
                raise InputError(str(Fault(str(exc), file=str(path), line=number))) from exc
    return found
