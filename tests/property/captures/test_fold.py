"""Any cutting of a stream folds to the same answer, and nothing that a server sends makes folding raise."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.captures.fold import events, fold

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "index",
                    "content",
                    "tool_calls",
                    "function",
                    "arguments",
                    "error",
                    "usage",
                    "type",
                    "response",
                    "logprobs",
                    "text",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(st.lists(TEXT), ENDS, st.lists(st.sampled_from([": ping", "event: x", "id: 1", "retry: 5"])))
def test_content_is_the_deltas_joined(deltas: list[str], end: str, noise: list[str]):
    lines = []
    for delta in deltas:
        lines += [*noise, "data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": delta}}]}), ""]
    lines += [
        "data: " + json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        "",
        "data: [DONE]",
        "",
        "",
    ]
    folded = fold(end.join(lines).encode())
    choice = folded.body["choices"][0]
    assert (choice["message"]["content"] or "") == "".join(deltas)
    assert choice["finish_reason"] == "stop"
    assert folded.finished
    assert len(folded.token_ends) == sum(bool(delta) for delta in deltas)
    assert folded.token_ends == sorted(folded.token_ends)


@given(st.lists(st.tuples(st.integers(0, 2), TEXT)))
def test_tool_arguments_are_joined_by_index(parts: list[tuple[int, str]]):
    chunks = [
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": i, "function": {"arguments": text}}]}}]}
        for i, text in parts
    ]
    folded = fold("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode())
    calls = folded.body["choices"][0]["message"]["tool_calls"] if parts else []
    assert [call["function"]["arguments"] for call in calls] == [
        "".join(text for i, text in parts if i == index) for index in sorted({i for i, _ in parts})
    ]


@given(st.lists(JSON | st.binary()))
def test_nothing_makes_it_raise(payloads: list[object]):
    parts = [payload if isinstance(payload, bytes) else json.dumps(payload).encode() for payload in payloads]
    fold(b"".join(b"data: " + part + b"\n\n" for part in parts))


@given(st.binary())
def test_events_never_raise_and_point_inside(data: bytes):
    found = events(data)
    assert all(0 < end <= len(data) for end, _ in found)
