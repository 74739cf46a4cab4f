"""A judge behind any OpenAI-compatible endpoint: structured output where it is known, patience where it is busy."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters.http_engine import HttpEngine
from gatekeeper.metrics._answer import count, read_answer
from gatekeeper.model.judging import Said

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Self

    from gatekeeper.model.reply import Reply

TRIES = 5
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 20.0
REPLY_TOKENS = 400
SEED = 7

_AGAIN = frozenset({"connect", "timeout", "http_5xx", "rate_limited", "stream_broken", "bad_response"})
_OPTIONAL = {
    "response_format": ("response_format", "json_schema", "guided", "structured", "schema"),
    "max_tokens": ("max_tokens",),
    "temperature": ("temperature",),
    "seed": ("seed",),
}
"""What is left out for an endpoint that refuses it, by the words in which it says so."""


class OpenAIGrader:
    """Ask one model behind one endpoint; use as `async with`. name: by which its opinions are kept."""

    def __init__(
        self,
        engine: HttpEngine,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Keep the endpoint. sleep, jitter: handed in for tests; jitter returns a number in [0, 1)."""
        self._engine = engine
        self._sleep = sleep
        self._jitter = jitter
        self._left_out: set[str] = set()
        self.name = f"{engine.model} at {engine.url}"

    async def __aenter__(self) -> Self:
        """Make sure that the endpoint answers, and settle on its model.

        Raises:
            EngineError: it does not answer.
            InputError: it does not serve the model.
        """
        await self._engine.__aenter__()
        try:
            await self._engine.pick_model()
        except BaseException:
            await self._engine.__aexit__()
            raise
        self.name = f"{self._engine.model} at {self._engine.url}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self._engine.__aexit__()

    async def ask(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> Said:
        """Ask and wait for the whole reply, trying again with growing pauses; what goes wrong is in what comes back."""
        requests, wait_s = 0, FIRST_WAIT_S
        prompt = completion = 0
        while True:
            reply = await self._engine.ask(self._body(messages, schema))
            requests += 1
            used = (reply.response or {}).get("usage") or {}
            prompt += int(count(used, "prompt_tokens") or 0)
            completion += int(count(used, "completion_tokens") or 0)
            if refused := _refused(reply) - self._left_out:
                self._left_out |= refused
                continue
            if reply.error is None or reply.error.kind not in _AGAIN or requests >= TRIES:
                return _said(reply, requests, prompt, completion)
            await self._sleep(wait_s * (0.5 + self._jitter()))
            wait_s = min(wait_s * 2.0, LONGEST_WAIT_S)

    def _body(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "temperature": 0,
            "seed": SEED,
            "max_tokens": REPLY_TOKENS,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "opinion", "strict": True, "schema": schema},
            },
        }
        if "max_tokens" in self._left_out:
            body["max_completion_tokens"] = REPLY_TOKENS
        kept = {name: value for name, value in body.items() if name not in self._left_out}
        return {"messages": list(messages), **kept}


def start(url: str, *, model: str, api_key: str = "", timeout_s: float = 60.0) -> OpenAIGrader:
    """Return a grader; nothing is sent yet.

    url: the server's root, with or without `/v1`. model: "" for the first that it serves. timeout_s: longest silence.
    """
    return OpenAIGrader(HttpEngine(url, name="the judge", model=model, api_key=api_key, timeout_s=timeout_s))


def _refused(reply: Reply) -> set[str]:
    """Name what an endpoint refuses to be asked for."""
    if reply.error is None or reply.error.kind != "http_4xx":
        return set()
    said = reply.error.message.lower()
    return {name for name, words in _OPTIONAL.items() if any(word in said for word in words)}


def _said(reply: Reply, requests: int, prompt: int, completion: int) -> Said:
    if reply.error is not None:
        reason = f"the judge failed: {reply.error.kind}: {reply.error.message}"
        return Said(text=None, reason=reason, prompt_tokens=prompt, completion_tokens=completion, requests=requests)
    answer = read_answer(reply.response)
    text = answer.text if answer is not None else ""
    return Said(
        text=text or None,
        reason="" if text else "the judge said nothing",
        prompt_tokens=prompt,
        completion_tokens=completion,
        requests=requests,
    )
