"""What a simulated model does with a request: an answer cut into tokens, and the moments they come at."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Answers = Callable[[str, str, int | None], str]

FINGERPRINT = "gatekeeper-sim"
GENERIC = "I am a simulated model, and nobody has told me the answer to this."
TOKEN = re.compile(r"\s?\w{1,4}|\s?[^\w\s]|\s+")
TOOL_CALL = re.compile(r"\s*<tool_call>(.*)</tool_call>\s*", re.DOTALL)
TTFT_SPREAD = 0.35  # sigma of the lognormal
TPOT_SPREAD = 0.2


@dataclass(frozen=True, slots=True)
class Pace:
    """Hold how fast the simulated engine is.

    ttft_ms and tpot_ms: medians of the first token's and each later token's time. slots: requests served at once;
    the others queue. seed: of the times.
    """

    ttft_ms: float
    tpot_ms: float
    slots: int
    seed: int


@dataclass(slots=True)
class Load:
    """Count what the engine has done and does, in vLLM's words."""

    waiting: int = 0
    running: int = 0
    prompt_tokens: int = 0
    generation_tokens: int = 0
    finished: dict[str, int] = field(default_factory=lambda: {"stop": 0, "length": 0, "abort": 0})

    def page(self, model: str, slots: int) -> str:
        """Write the Prometheus page a vLLM server would show."""
        label = f'engine="0",model_name="{model}"'
        values = {
            "num_requests_running": self.running,
            "num_requests_waiting": self.waiting,
            "kv_cache_usage_perc": self.running / slots,
            "num_preemptions_total": 0,
            "prefix_cache_queries_total": self.prompt_tokens,
            "prefix_cache_hits_total": 0,
            "prompt_tokens_total": self.prompt_tokens,
            "generation_tokens_total": self.generation_tokens,
        }
        lines = [f"vllm:{name}{{{label}}} {float(value)}" for name, value in values.items()]
        lines += [
            f'vllm:request_success_total{{finished_reason="{reason}",{label}}} {float(count)}'
            for reason, count in self.finished.items()
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Completion:
    """Hold the answer to one request: its tokens, or a tool call, and why it ended."""

    tokens: tuple[str, ...]
    tool_call: dict[str, Any] | None
    finish_reason: str
    prompt_tokens: int
    head: dict[str, Any]  # id, created, model and fingerprint, the same in every chunk

    @property
    def usage(self) -> dict[str, int]:
        """Count tokens as the API reports them."""
        written = len(self.tokens)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": self.prompt_tokens + written,
        }

    def whole(self) -> dict[str, Any]:
        """Build the body of an answer that is not streamed."""
        content = None if self.tool_call else "".join(self.tokens)
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if self.tool_call:
            message["tool_calls"] = [self.tool_call]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return {**self.head, "object": "chat.completion", "choices": [choice], "usage": self.usage}

    def chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        """Build one chunk of a streamed answer."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**self.head, "object": "chat.completion.chunk", "choices": [choice]}

    def last(self) -> dict[str, Any]:
        """Build the chunk that holds the usage and no choice."""
        return {**self.head, "object": "chat.completion.chunk", "choices": [], "usage": self.usage}


class SimModel:
    """Answer requests with the words of `answers` at a pace of its own."""

    def __init__(self, name: str, served_name: str, answers: Answers | None, pace: Pace) -> None:
        """Keep what it answers and how fast; `answers` takes the model, the prompt and the seed (None at T = 0)."""
        self.name = name
        self.served_name = served_name
        self.pace = pace
        self.load = Load()
        self._answers = answers
        self._slots = asyncio.Semaphore(pace.slots)
        self._served = 0

    def complete(self, body: dict[str, Any]) -> Completion:
        """Work the answer out; the same prompt has the same answer, and above temperature 0 so has the same seed."""
        prompt = str(body["messages"][-1]["content"])
        seed = body.get("seed", random.getrandbits(31)) if body.get("temperature", 1.0) > 0 else None  # not a secret
        text = self._answers(self.name, prompt, seed) if self._answers else GENERIC
        tokens = tuple(TOKEN.findall(text))
        limit = body.get("max_completion_tokens") or body.get("max_tokens") or len(tokens)
        call = _tool_call(text) if body.get("tools") and limit >= len(tokens) else None
        reason = "tool_calls" if call else "stop" if limit >= len(tokens) else "length"
        head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": self.served_name,
            "system_fingerprint": FINGERPRINT,
        }
        return Completion(tokens[:limit], call, reason, len(TOKEN.findall(prompt)) + 8, head)

    @asynccontextmanager
    async def slot(self, completion: Completion) -> AsyncIterator[list[float]]:
        """Queue for a slot and hold it; gives each token's time after the start of service, in seconds."""
        self.load.waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self.load.waiting -= 1
        self.load.running += 1
        self.load.prompt_tokens += completion.prompt_tokens
        reason = "abort"
        try:
            yield self._moments(len(completion.tokens))
            reason = "length" if completion.finish_reason == "length" else "stop"
            self.load.generation_tokens += len(completion.tokens)
        finally:
            self.load.finished[reason] += 1
            self.load.running -= 1
            self._slots.release()

    def _moments(self, tokens: int) -> list[float]:
        self._served += 1
        rng = random.Random(f"{self.pace.seed}|{self._served}")  # noqa: S311  # reproducible, not secret
        moment = self.pace.ttft_ms / 1000 * rng.lognormvariate(0, TTFT_SPREAD)
        moments = [moment]
        for _ in range(tokens - 1):
            moment += self.pace.tpot_ms / 1000 * rng.lognormvariate(0, TPOT_SPREAD)
            moments.append(moment)
        return moments


def _tool_call(text: str) -> dict[str, Any] | None:
    found = TOOL_CALL.fullmatch(text)
    if found is None:
        return None
    call = json.loads(found[1])
    function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
    return {"id": f"chatcmpl-tool-{uuid.uuid4().hex}", "type": "function", "function": function}
