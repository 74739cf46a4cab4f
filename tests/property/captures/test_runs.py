"""A run read at once comes to what its events come to one by one."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.captures.fold import Folded, fold
from gatekeeper.captures.runs import find_run

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8) | st.sampled_from(['"', "\\", "\n\n", "data: {"])
DELTAS = st.builds(lambda text: {"content": text}, TEXT)
OTHERS = st.sampled_from(
    [
        {"role": "assistant", "content": "x"},
        {},
        {"content": None},
        {"content": "x", "reasoning": "y"},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
    ]
)


def event(delta: dict[str, Any], *, ascii_only: bool, **choice: object) -> str:
    chunk = {"id": "c", "choices": [{"index": 0, "delta": delta, **choice}], "usage": None}
    return f"data: {json.dumps(chunk, ensure_ascii=ascii_only)}\n\n"


def one_by_one(stream: str) -> Folded:
    """Fold with lines ended in a way that no run has."""
    return fold(stream.replace("\n\n", "\r\n\r\n").encode())


@given(
    st.lists(DELTAS | DELTAS | DELTAS | OTHERS, max_size=12),
    st.sampled_from([{}, {"logprobs": None}, {"logprobs": {"content": [{"token": "a"}]}}, {"finish_reason": None}]),
    st.sampled_from(["ascii", "utf-8"]),
    st.sampled_from(
        ["", ": ping\n\n", "data: [DONE]\n\n", 'data: {"choices":[', 'data: {"error":"x"}\n\n', "data: {}\n\n"]
    ),
    st.integers(0, 12),
)
def test_a_run_is_its_events(
    deltas: list[dict[str, Any]], choice: dict[str, Any], spelling: str, noise: str, place: int
):
    events = [event(delta, ascii_only=spelling == "ascii", **choice) for delta in deltas]
    events.insert(place, noise)
    stream = "".join(events)
    folded, slowly = fold(stream.encode()), one_by_one(stream)
    assert (folded.body, folded.finished, folded.error) == (slowly.body, slowly.finished, slowly.error)
    data = stream.encode()
    assert len(folded.token_ends) == len(slowly.token_ends)
    assert all((data[end - 1 : end + 1], index) == (b"\n\n", 0) for end, index in folded.token_ends)
    assert folded.token_ends == sorted(set(folded.token_ends))


def test_a_run_is_found_where_there_is_one():
    events = [event({"content": text}, ascii_only=True) for text in ("a", "", 'b"', "é")]
    data = ("".join(events) + "data: [DONE]\n\n").encode()
    run = find_run(data, 0)
    assert run is not None
    assert run.chunk["choices"][0]["delta"]["content"] == 'ab"é'
    assert (len(run.token_ends), data[run.end :]) == (3, b"data: [DONE]\n\n")


def test_what_is_said_beside_the_content_makes_no_run():
    for chunk in (
        '{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}',
        '{"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[]}}]}',
        '{"choices":[{"delta":{"content":"a"}},{"delta":{}}]}',
        '{"choices":[{"delta":{"role":"x","content":"a"}}]}',
        '{"choices":[],"content":"a"}',
        '{"content":"a"}',
        "[]",
    ):
        assert find_run(f"data: {chunk}\n\n".encode() * 2, 0) is None
