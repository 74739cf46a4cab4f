"""Prompts whose answers can be checked, and how they are to be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalSample:
    """Hold one prompt and what its answer must satisfy.

    input: OpenAI chat messages. expect: `{type, value}` each; all must hold. response_schema: JSON Schema the answer
    is wanted in; it scores the answer and is not sent, since a server that knows it repairs the JSON of a bad model.
    target: a reference answer, for people. context: what the prompt was built from, for groundedness.
    """

    id: str
    input: tuple[dict[str, Any], ...]
    target: str | None = None
    context: str | None = None
    tools: tuple[dict[str, Any], ...] | None = None
    response_schema: dict[str, Any] | None = None
    expect: tuple[dict[str, Any], ...] = ()
    segment: str | dict[str, str] | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evalset:
    """Hold a checked evalset.

    digest: SHA-256 (hex) over its canonical sample lines; results under another digest are not comparable. sampling:
    parameters put into every request. repeats: how often each sample is asked. min_samples: fewer prove nothing.
    metrics: names of the metrics that its samples can speak about. max_similarity: share of its text, 0 to 1, that a
    prompt may have in common with another; None: any. review: who read the samples, when, and what was checked how.
    """

    name: str
    digest: str
    samples: tuple[EvalSample, ...]
    licence: str = ""
    source: str = ""
    split: str = ""
    sampling: dict[str, Any] = field(default_factory=dict)
    repeats: int = 1
    min_samples: int = 1
    metrics: tuple[str, ...] = ()
    max_similarity: float | None = None
    review: str = ""
