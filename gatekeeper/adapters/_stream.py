"""A streamed chat completion folded back into the one body that it stands for."""

from __future__ import annotations

from typing import Any

JOINED = ("content", "refusal", "reasoning_content")


class Fold:
    """Take a stream's chunks in order; `body` is the chat completion they add up to."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.finished = False
        self._head: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}
        self._usage: dict[str, Any] | None = None

    def add(self, chunk: dict[str, Any]) -> bool:
        """Take one chunk; tell whether it brought any of the answer (text, refusal or a tool call)."""
        self._head = self._head or {key: chunk[key] for key in ("id", "created", "model") if key in chunk}
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        spoke = False
        for part in chunk.get("choices") or ():
            spoke = self._add_choice(part) or spoke
        return spoke

    def body(self) -> dict[str, Any]:
        """Return the chat completion so far."""
        choices = [
            {"index": index, "message": _message(each), "finish_reason": each["finish_reason"]}
            for index, each in sorted(self._choices.items())
        ]
        usage = {"usage": self._usage} if self._usage is not None else {}
        return {**self._head, "object": "chat.completion", "choices": choices, **usage}

    def _add_choice(self, part: dict[str, Any]) -> bool:
        empty: dict[str, Any] = {"texts": {}, "calls": {}, "finish_reason": None}
        choice = self._choices.setdefault(part.get("index", 0), empty)
        delta = part.get("delta") or {}
        spoke = False
        for name in JOINED:
            if delta.get(name):
                choice["texts"][name] = choice["texts"].get(name, "") + delta[name]
                spoke = True
        for call in delta.get("tool_calls") or ():
            _add_call(choice["calls"], call)
            spoke = True
        if part.get("finish_reason"):
            choice["finish_reason"] = part["finish_reason"]
            self.finished = True
        return spoke


def _add_call(calls: dict[int, dict[str, Any]], part: dict[str, Any]) -> None:
    """Join one fragment of a tool call to the call of its index."""
    call = calls.setdefault(part.get("index", 0), {"id": None, "type": "function", "function": {"arguments": ""}})
    function = part.get("function") or {}
    if part.get("id"):
        call["id"] = part["id"]
    if function.get("name"):
        call["function"]["name"] = call["function"].get("name", "") + function["name"]
    call["function"]["arguments"] += function.get("arguments") or ""


def _message(choice: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": None, **choice["texts"]}
    calls = [call for _, call in sorted(choice["calls"].items())]
    return {**message, "tool_calls": calls} if calls else message
