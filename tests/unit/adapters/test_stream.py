"""Streams folded back into one body."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.adapters._stream import Fold


def _chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **top: object) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c-1", "created": 7, "model": "m", "object": "chat.completion.chunk", "choices": choices, **top}


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=8))
def test_text_comes_back_whole(pieces: list[str]):
    fold = Fold()
    assert fold.add(_chunk({"role": "assistant", "content": ""})) is False
    assert all(fold.add(_chunk({"content": piece})) for piece in pieces)
    fold.add(_chunk({}, "stop"))
    fold.add(_chunk(usage={"completion_tokens": len(pieces)}))
    assert fold.finished
    assert fold.body() == {
        "id": "c-1",
        "created": 7,
        "model": "m",
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "".join(pieces)}, "finish_reason": "stop"}
        ],
        "usage": {"completion_tokens": len(pieces)},
    }


@given(st.integers(0, 20), st.integers(0, 20))
def test_tool_calls_cut_anywhere_come_back_whole(first: int, second: int):
    texts = ['{"city": "Oslo"}', '{"city": "Rome", "days": 2}']
    fold = Fold()
    for index, (text, cut) in enumerate(zip(texts, (first, second), strict=True)):
        start = {"index": index, "id": f"id-{index}", "function": {"name": "get_weather", "arguments": text[:cut]}}
        fold.add(_chunk({"tool_calls": [start]}))
        fold.add(_chunk({"tool_calls": [{"index": index, "function": {"arguments": text[cut:]}}]}))
    fold.add(_chunk({}, "tool_calls"))
    message = fold.body()["choices"][0]["message"]
    assert message["content"] is None
    assert [call["function"] for call in message["tool_calls"]] == [
        {"name": "get_weather", "arguments": text} for text in texts
    ]
    assert [call["id"] for call in message["tool_calls"]] == ["id-0", "id-1"]


def test_a_refusal_is_kept_apart():
    fold = Fold()
    fold.add(_chunk({"refusal": "I "}))
    fold.add(_chunk({"refusal": "won't."}, "stop"))
    assert fold.body()["choices"][0]["message"] == {"role": "assistant", "content": None, "refusal": "I won't."}
