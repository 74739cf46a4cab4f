"""How each arm bears load: the same prompts at one concurrency after another."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.flow._asking import ARMS, request_body
from gatekeeper.model.gate import LoadStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gatekeeper.flow._asking import Ask
    from gatekeeper.model.arm import Arm
    from gatekeeper.model.evalset import Evalset
    from gatekeeper.model.reply import Reply

ROUNDS = 4
"""Requests of a step for each one in flight, where the asked number is smaller: fewer would measure the start alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """Say how load is raised.

    steps: concurrencies, in order. requests: of each arm at each step; ROUNDS for each in flight at least. clock:
    seconds, monotonic. seen: called as each request ends.
    """

    steps: Sequence[int]
    requests: int
    clock: Callable[[], float]
    seen: Callable[[], None] = field(default=lambda: None)

    def asked(self, concurrency: int) -> int:
        """Return the requests of one arm at one step."""
        return max(self.requests, ROUNDS * concurrency)


async def climb(evalset: Evalset, ask: Mapping[Arm, Ask], ramp: Ramp) -> tuple[LoadStep, ...]:
    """Put each load on each arm and return what was measured, step by step.

    The arms take turns, so that neither slows the other where they share a machine; which goes first alternates. What
    fails is counted, and ends nothing.
    """
    steps: list[LoadStep] = []
    for turn, concurrency in enumerate(ramp.steps):
        arms = [arm for arm in ARMS if arm in ask]
        done = {
            arm: await _step(evalset, arm, ask[arm], concurrency, ramp)
            for arm in (arms if turn % 2 == 0 else reversed(arms))
        }
        steps += [done[arm] for arm in arms]
    return tuple(steps)


async def _step(evalset: Evalset, arm: Arm, ask: Ask, concurrency: int, ramp: Ramp) -> LoadStep:
    count = ramp.asked(concurrency)
    waiting = iter(list(islice(cycle(evalset.samples), count)))
    replies: list[Reply] = []

    async def work() -> None:
        for sample in waiting:
            replies.append(await ask(request_body(sample, evalset.sampling, 0)))
            ramp.seen()

    started_s = ramp.clock()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    return _measured(arm, concurrency, replies, ramp.clock() - started_s)


def _measured(arm: Arm, concurrency: int, replies: Sequence[Reply], wall_s: float) -> LoadStep:
    answered = [reply for reply in replies if reply.error is None]
    tokens = [((reply.response or {}).get("usage") or {}).get("completion_tokens") for reply in answered]
    told = [count for count in tokens if isinstance(count, int)]
    ttft = _numbers(reply.timing.ttft_ms for reply in answered)
    tpot = _numbers(reply.timing.tpot_ms for reply in answered)
    timed = wall_s > 0
    return LoadStep(
        arm=arm,
        concurrency=concurrency,
        requests=len(replies),
        wall_s=wall_s,
        failed=dict(Counter(reply.error.kind for reply in replies if reply.error is not None)),
        requests_per_s=len(answered) / wall_s if timed and answered else None,
        tokens_per_s=sum(told) / wall_s if timed and told else None,
        ttft_p50_ms=_quantile(ttft, 0.5),
        ttft_p95_ms=_quantile(ttft, 0.95),
        tpot_p50_ms=_quantile(tpot, 0.5),
        tpot_p95_ms=_quantile(tpot, 0.95),
    )


def _numbers(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _quantile(values: Sequence[float], share: float) -> float | None:
    return float(np.quantile(values, share)) if values else None
