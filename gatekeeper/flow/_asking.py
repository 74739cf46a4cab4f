"""Asking both arms the same prompts, side by side."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from gatekeeper.errors import EngineError, InputError
from gatekeeper.model.answer import Answer, AnswerKey
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.reply import Reply

if TYPE_CHECKING:
    from gatekeeper.model.evalset import EvalSample, Evalset

Ask = Callable[[dict[str, Any]], Awaitable[Reply]]
Request = tuple[int, Arm, "EvalSample", int]

ARMS = (Arm.BASELINE, Arm.CANDIDATE)
OUTAGE_KINDS = frozenset({"connect", "timeout", "http_5xx", "rate_limited", "stream_broken", "bad_response"})
EARLY_FAILURES = 20
"""Failures in a row after which an arm is given up before the evalset's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Say how the arms are asked.

    ask: one coroutine function for each arm that is asked. now: unix seconds. repeats: how often each sample is asked.
    concurrency: requests in flight over both arms together. max_failed: share of an arm's requests that may fail before
    it counts as out of order. known: answers that were had before; they are not asked for again, provided that the
    same would be asked. seen: called with each answer as it comes, and whether it was known.
    """

    ask: Mapping[Arm, Ask]
    now: Callable[[], float]
    repeats: int = 1
    concurrency: int = 8
    max_failed: float = 0.2
    known: Mapping[AnswerKey, Answer] = field(default_factory=dict)
    seen: Callable[[Answer, bool], None] = field(default=lambda _answer, _known: None)


async def ask_all(evalset: Evalset, asking: Asking) -> list[Exchange]:
    """Ask both arms every sample, interleaved, so that both meet the same load; return the exchanges as asked.

    Raises:
        EngineError: an arm is out of order; an outage is not a regression.
        InputError: an arm refuses most requests as wrong.
    """
    waiting = _requests(evalset, asking)
    done: list[Exchange] = []
    streaks: Counter[Arm] = Counter()

    async def work() -> None:
        for request in waiting:
            known = _known(request, evalset, asking)
            answer = known or await _ask_one(request, evalset, asking)
            exchange = answer.exchange
            done.append(exchange)
            asking.seen(answer, known is not None)
            if known is None:
                streaks[exchange.arm] = streaks[exchange.arm] + 1 if _is_outage(exchange) else 0
            if max(streaks.values(), default=0) >= EARLY_FAILURES:
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(asking.concurrency):
            group.create_task(work())
    for arm in asking.ask:
        _refuse_outage(arm, done, 0.0 if streaks[arm] >= EARLY_FAILURES else asking.max_failed)
    return sorted(done, key=lambda exchange: exchange.id)


def request_body(sample: EvalSample, sampling: Mapping[str, Any], repeat: int) -> dict[str, Any]:
    """Return the chat-completions body that asks a sample; each repeat has a seed of its own, the same in both arms."""
    body: dict[str, Any] = {"messages": list(sample.input), **sampling}
    if isinstance(body.get("seed"), int):
        body["seed"] += repeat
    if sample.tools:
        body |= {"tools": list(sample.tools), "tool_choice": "auto"}
    return body


def body_digest(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a request's body, keys in any order."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def unanswered(evalset: Evalset, repeats: int, arm: Arm, known: Mapping[AnswerKey, Answer]) -> int:
    """Count an arm's requests to which no answer is known."""
    return sum(
        not _answers(known.get((arm, sample.id, repeat)), evalset, request_body(sample, evalset.sampling, repeat))
        for repeat in range(repeats)
        for sample in evalset.samples
    )


def arms_asked(asking: Asking) -> tuple[Arm, ...]:
    """Return the arms that have answers in this run: asked now, or known."""
    there = {*asking.ask, *(arm for arm, _, _ in asking.known)}
    return tuple(arm for arm in ARMS if arm in there)


def _requests(evalset: Evalset, asking: Asking) -> Iterator[Request]:
    """Yield every request with its number; which arm goes first alternates from sample to sample."""
    arms, number = arms_asked(asking), 0
    for repeat in range(asking.repeats):
        for index, sample in enumerate(evalset.samples):
            for arm in arms if (index + repeat) % 2 == 0 else arms[::-1]:
                yield number, arm, sample, repeat
                number += 1


def _known(request: Request, evalset: Evalset, asking: Asking) -> Answer | None:
    """Return the answer that was had before to the same request, under this run's names."""
    _, arm, sample, repeat = request
    answer = asking.known.get((arm, sample.id, repeat))
    body = request_body(sample, evalset.sampling, repeat)
    if answer is None or not _answers(answer, evalset, body):
        return None
    had = answer.exchange
    reply = Reply(response=had.response, error=had.error, timing=had.timing)
    return replace(answer, exchange=_exchange(request, evalset, asking, body, had.ts, reply))


def _answers(answer: Answer | None, evalset: Evalset, body: Mapping[str, Any]) -> bool:
    """Tell whether an answer was given to this very request."""
    return answer is not None and (answer.evalset, answer.asked) == (evalset.digest, body_digest(body))


async def _ask_one(request: Request, evalset: Evalset, asking: Asking) -> Answer:
    _, arm, sample, repeat = request
    body = request_body(sample, evalset.sampling, repeat)
    started_ts = asking.now()
    reply = await asking.ask[arm](body)
    exchange = _exchange(request, evalset, asking, body, started_ts, reply)
    return Answer(exchange=exchange, evalset=evalset.digest, sample=sample.id, repeat=repeat, asked=body_digest(body))


def _exchange(
    request: Request, evalset: Evalset, asking: Asking, body: dict[str, Any], ts: float, reply: Reply
) -> Exchange:
    number, arm, sample, repeat = request
    pair = sample.id if asking.repeats == 1 else f"{sample.id}#{repeat}"
    return Exchange(
        id=f"{number:08d}-{arm}-{pair}",
        ts=ts,
        arm=arm,
        pair_id=pair,
        cluster_id=sample.id if asking.repeats > 1 else None,
        service=evalset.name,
        segment=sample.segment,
        request=body,
        response=reply.response,
        error=reply.error,
        timing=reply.timing,
        expect=sample.expect,
        response_schema=sample.response_schema,
        context=sample.context,
        streamed=True,
    )


def _is_outage(exchange: Exchange) -> bool:
    return exchange.error is not None and exchange.error.kind in OUTAGE_KINDS


def _refuse_outage(arm: Arm, done: Sequence[Exchange], max_failed: float) -> None:
    """Raise when more than a share of an arm's requests failed."""
    asked = [exchange for exchange in done if exchange.arm is arm]
    failed = [exchange.error for exchange in asked if exchange.error is not None]
    if len(failed) <= max_failed * len(asked):
        return
    kinds = Counter(failure.kind for failure in failed)
    counted = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    message = f"{arm}: {len(failed)} of {len(asked)} requests failed ({counted}); first: {failed[0].message}"
    if kinds["http_4xx"] * 2 > len(failed):
        raise InputError(
            f"{message}; the endpoint refuses what is asked: check the model's name and its server's flags"
        )
    raise EngineError(f"{message}; this is an outage, not a verdict: mend the endpoint and run the gate again")
