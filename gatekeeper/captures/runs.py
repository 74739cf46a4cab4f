"""Most of a stream is one event again and again with another piece of text: such a run is read at once."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Any, NamedTuple

import orjson

_CONTENT = re.compile(rb'"content": ?"((?:[^"\\]|\\.)*)"')
_QUIET: tuple[object, ...] = ({}, None)


class Run(NamedTuple):
    """Hold a run. chunk: the first event's JSON, with the whole run's text for its content.

    token_ends: for each event with text, the offset after its data line. end: the offset after the run.
    """

    chunk: dict[str, Any]
    token_ends: list[int]
    end: int


def find_run(data: bytes, start: int) -> Run | None:
    """Read the events from `start` on that differ in their content alone; None: the first is not of the usual shape.

    start: an offset at which an event begins.
    """
    first = data[start : data.find(b"\n\n", start) + 2]
    found = _CONTENT.search(first)
    if found is None or not first.startswith(b"data: {") or first.count(b'"content"') != 1:
        return None
    before, after = first[: found.start(1)], first[found.end(1) :]
    if first.count(b"\n") != 2 or b"\r" in first:  # noqa: PLR2004 - the two that end it
        return None
    try:
        chunk = orjson.loads(first[6:])
        pieces = data[start + len(before) :].split(after + before)
        pieces[-1] = pieces[-1][: pieces[-1].index(after)]
        texts = orjson.loads(b'["' + b'","'.join(pieces) + b'"]')
    except ValueError:
        return None
    delta = _only_delta(chunk)
    if delta is None or len(texts) != len(pieces) or delta.get("content") != texts[0]:
        return None
    delta["content"] = "".join(texts)
    around = len(before) + len(after)
    ends = list(accumulate((len(piece) + around for piece in pieces), initial=start))[1:]
    return Run(chunk, [end - 1 for end, text in zip(ends, texts, strict=True) if text], ends[-1])


def _only_delta(chunk: dict[str, Any]) -> dict[str, Any] | None:
    """Return the delta of a chunk that says nothing but a delta's content; None: it says more."""
    choices = chunk.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict) or chunk.get("error"):
        return None
    choice = choices[0]
    delta = choice.get("delta")
    if choice.get("finish_reason") is not None or choice.get("logprobs") not in _QUIET or "text" in choice:
        return None
    return delta if isinstance(delta, dict) and list(delta) == ["content"] else None
