"""One chat task with its right answer, and the request that asks it of an OpenAI-compatible server."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EXPECT_HEADER = "x-gatekeeper-expect"


@dataclass(frozen=True, slots=True)
class Example:
    """Hold a prompt, the answer a good model gives, and how an answer is checked.

    expect: checks as mappings of type and value; every one must hold.
    response_schema: the JSON Schema the answer must follow; None where prose is asked for.
    tools: the tools offered with the request; None for none.
    """

    family: str
    prompt: str
    answer: str
    expect: tuple[Mapping[str, Any], ...]
    response_schema: Mapping[str, Any] | None = None
    tools: tuple[Mapping[str, Any], ...] | None = None


def body(
    example: Example,
    model: str,
    *,
    stream: bool = False,
    temperature: float = 0.0,
    seed: int | None = None,
    max_tokens: int = 64,
) -> dict[str, Any]:
    """Build the chat-completions body that asks the example.

    The schema is left out on purpose: a server that is told of it repairs broken JSON before anyone can see it.
    A stream asks for its usage in the last chunk.
    """
    asked: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": example.prompt}],
        "temperature": temperature,
        "max_tokens": max_tokens,
    }
    if seed is not None:
        asked["seed"] = seed
    if example.tools is not None:
        asked |= {"tools": list(example.tools), "tool_choice": "auto"}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    return asked


def headers(example: Example) -> dict[str, str]:
    """Tell a scorer beside the request what its answer must be: base64 of {"expect", "response_schema"?} as JSON."""
    wanted: dict[str, Any] = {"expect": list(example.expect)}
    if example.response_schema is not None:
        wanted["response_schema"] = example.response_schema
    return {EXPECT_HEADER: base64.b64encode(json.dumps(wanted, separators=(",", ":")).encode()).decode()}
