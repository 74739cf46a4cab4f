"""From the bytes of an answer to one chat completion, with the place in the bytes where each token came."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from gatekeeper.captures.runs import find_run

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINE_END = re.compile(rb"\r\n|\n|\r")
_DONE = b"[DONE]"
_LAST_READS, _LAST_BYTES = 64, 64 << 10
_TOKEN_FIELDS = ("content", "reasoning_content", "reasoning", "refusal", "tool_calls", "function_call")
_RESPONSE_TOKENS = frozenset(
    (
        "response.output_text.delta",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "response.reasoning_text.delta",
        "response.reasoning_summary_text.delta",
        "response.custom_tool_call_input.delta",
        "response.mcp_call_arguments.delta",
        "response.code_interpreter_call_code.delta",
    )
)


@dataclass(slots=True)
class Folded:
    """Hold what a stream came to.

    body: one chat completion. token_ends: for each event that carried output, (the offset after it, the index of the
    choice). finished: the stream said that it was over. error: the error that it carried instead.
    """

    body: dict[str, Any] = field(default_factory=dict)
    token_ends: list[tuple[int, int]] = field(default_factory=list)
    finished: bool = False
    error: str | None = None


def events(data: bytes) -> list[tuple[int, bytes]]:
    """Split server-sent events: (offset after the event's data line, data) for each that has data.

    Lines end in LF, CR or CRLF; comments and other fields are passed over; several data lines join with LF.
    """
    found: list[tuple[int, bytes]] = []
    lines: list[bytes] = []
    start = end = 0
    for match in _LINE_END.finditer(data):
        line = data[start : match.start()]
        start = match.end()
        if line.startswith(b"data:"):
            lines.append(line[5:].removeprefix(b" "))
            end = match.end()
        elif not line and lines:
            found.append((end, b"\n".join(lines)))
            lines = []
    return found


def fold(data: bytes) -> Folded:
    """Fold a stream of chat completions, completions or responses; never raises on what a model server sent."""
    folded = Folded()
    choices: dict[int, dict[str, Any]] = {}
    start = data.find(b"\n\n") + 2
    run = find_run(data, start)
    if run is None:
        _fold_events(folded, choices, data, 0)
    else:
        _fold_events(folded, choices, data[:start], 0)
        for index in _fold_chunk(folded, choices, run.chunk):
            folded.token_ends += [(end, index) for end in run.token_ends]
        _fold_events(folded, choices, data[run.end :], run.end)
    if choices:
        folded.body["choices"] = [_closed(choices[index]) for index in sorted(choices)]
        folded.finished = folded.finished or all(choice.get("finish_reason") for choice in choices.values())
    return folded


def is_over(pieces: Sequence[bytes]) -> bool:
    """Tell whether a stream has said that it is over; pieces: its reads, of which the last are looked at."""
    folded = Folded()
    _fold_events(folded, {}, b"".join(pieces[-_LAST_READS:])[-_LAST_BYTES:], 0)
    return folded.finished


def _fold_events(folded: Folded, choices: dict[int, dict[str, Any]], data: bytes, offset: int) -> None:
    """Fold events one by one; offset: of `data` in the stream."""
    for end, text in events(data):
        if text == _DONE:
            folded.finished = True
            continue
        try:
            chunk = orjson.loads(text)
        except orjson.JSONDecodeError as exc:
            folded.error = folded.error or f"an event of the stream is no JSON: {exc}"
            continue
        if not isinstance(chunk, dict):
            continue
        folded.token_ends += [(offset + end, index) for index in _fold_chunk(folded, choices, chunk)]


def _fold_chunk(folded: Folded, choices: dict[int, dict[str, Any]], chunk: dict[str, Any]) -> list[int]:
    """Add a chunk; return the indexes of the choices for which it carried output."""
    kind = chunk.get("type")
    if isinstance(kind, str) and kind.startswith("response."):
        return [0] if _fold_response_event(folded, kind, chunk) else []
    if chunk.get("error") or kind == "error":
        folded.error = _error_text(chunk.get("error") or chunk)
        return []
    for name in ("id", "created", "model", "system_fingerprint", "usage"):
        if chunk.get(name) is not None:
            folded.body[name] = chunk[name]
    folded.body.setdefault("object", "chat.completion")
    tokens: list[int] = []
    parts = chunk.get("choices")
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict):
            index = part.get("index")
            index = index if isinstance(index, int) else 0
            choice = choices.setdefault(index, _new_choice(index))
            if _fold_choice(choice, part):
                tokens.append(index)
    return tokens


def _fold_response_event(folded: Folded, kind: str, chunk: dict[str, Any]) -> bool:
    response = chunk.get("response")
    if kind in ("response.completed", "response.incomplete") and isinstance(response, dict):
        folded.body = response
        folded.finished = True
    elif kind == "response.failed" and isinstance(response, dict):
        folded.error = _error_text(response.get("error"))
    return kind in _RESPONSE_TOKENS and bool(chunk.get("delta"))


def _new_choice(index: int) -> dict[str, Any]:
    return {"index": index, "message": {"role": "assistant", "content": None}, "finish_reason": None}


def _fold_choice(choice: dict[str, Any], part: dict[str, Any]) -> bool:
    message = choice["message"]
    delta = part.get("delta")
    delta = delta if isinstance(delta, dict) else {}
    if isinstance(part.get("text"), str):
        delta = {**delta, "content": part["text"]}
    for name, value in delta.items():
        if name == "tool_calls":
            _fold_tools(message, value)
        elif name in ("content", "reasoning_content", "reasoning", "refusal") and isinstance(value, str):
            message[name] = (message.get(name) or "") + value
        elif name != "content" and value is not None:
            message[name] = value
    if part.get("finish_reason") is not None:
        choice["finish_reason"] = part["finish_reason"]
    _fold_logprobs(choice, part.get("logprobs"))
    return any(delta.get(name) for name in _TOKEN_FIELDS)


def _fold_tools(message: dict[str, Any], deltas: object) -> None:
    calls: dict[int, dict[str, Any]] = message.setdefault("tool_calls", {})
    for place, delta in enumerate(deltas if isinstance(deltas, list) else ()):
        if not isinstance(delta, dict):
            continue
        index = delta.get("index")
        call = calls.setdefault(
            index if isinstance(index, int) else place,
            {"id": "", "type": "function", "function": {"name": "", "arguments": ""}},
        )
        call["id"] = delta.get("id") or call["id"]
        call["type"] = delta.get("type") or call["type"]
        function = delta.get("function")
        texts = function.items() if isinstance(function, dict) else ()
        for name, text in texts:
            if name in call["function"] and isinstance(text, str):
                call["function"][name] += text


def _fold_logprobs(choice: dict[str, Any], logprobs: object) -> None:
    if isinstance(logprobs, dict):
        kept = choice.setdefault("logprobs", {})
        for name, values in logprobs.items():
            if isinstance(values, list):
                kept.setdefault(name, []).extend(values)


def _closed(choice: dict[str, Any]) -> dict[str, Any]:
    calls = choice["message"].get("tool_calls")
    if isinstance(calls, dict):
        choice["message"]["tool_calls"] = [calls[index] for index in sorted(calls)]
    return choice


def _error_text(error: object) -> str:
    message = error.get("message") if isinstance(error, dict) else None
    return str(message or error)
