"""Usage that the client did not ask for is taken out, and not one byte more, however the stream is cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.gateway.body import read_facts
from gatekeeper.gateway.usage import Strip, asking

USAGE = {"id": "c", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 9}}
KEPT = [
    b": ping",
    b'data: {"choices":[{"index":0,"delta":{"content":"usage"}}]}',
    b'data: {"choices":[{"delta":{"content":"caf\xc3\xa9 \xf0\x9f\x98\x80"}}],"usage":null}',
    b'data: {"choices":[{"delta":{}}],"usage":{"completion_tokens":1}}',
    b'data: {"choices":[],"usage":null,"prompt_filter_results":[]}',
    b'event: x\ndata: {"usage":{}}',
    b"data: usage [DONE]",
    b"data: [DONE]",
    b"data: \xff\xfe usage {",
]
LONG = b'data: {"choices":[],"usage":{"note":"' + b"x" * 9000 + b'"}}\n\n'
ENDS = [b"\n", b"\r\n", b"\r"]


@given(
    st.lists(st.sampled_from([*KEPT, *[f"data: {json.dumps(USAGE)}".encode()] * 3]), max_size=12),
    st.sampled_from(ENDS),
    st.lists(st.integers(1, 400), min_size=1),
    st.booleans(),
)
def test_any_cutting_of_any_stream(events: list[bytes], end: bytes, sizes: list[int], closed: bool):  # noqa: FBT001 - drawn
    def stream(parts: list[bytes]) -> bytes:
        return b"".join(part.replace(b"\n", end) + end * 2 for part in parts)

    data = stream(events)
    kept = stream([event for event in events if json.dumps(USAGE).encode() not in event])
    if closed and data:
        data, kept = data + b"data: tail", kept + b"data: tail"
    strip = Strip()
    seen = b""
    place = number = 0
    while place < len(data):
        size = sizes[number % len(sizes)]
        seen += strip.feed(data[place : place + size], ended=False)
        place, number = place + size, number + 1
    assert seen + strip.feed(b"", ended=True) == kept


def test_whole_events_pass_with_the_read_that_brings_them():
    strip = Strip()
    for end in ENDS:
        for event in KEPT:
            whole = event.replace(b"\n", end) + end * 2
            assert strip.feed(whole, ended=False) == whole


def test_a_half_event_waits_and_one_too_long_for_usage_does_not():
    strip = Strip()
    assert strip.feed(b"data: half", ended=False) == b""
    assert strip.feed(b" of it\n\ndata:", ended=False) == b"data: half of it\n\n"
    assert strip.feed(LONG[5:8800], ended=False) == LONG[:8800]
    assert strip.feed(LONG[8800:], ended=False) == LONG[8800:]


def test_a_trickle_costs_no_more_than_its_bytes():
    strip = Strip()
    passed = [strip.feed(LONG[place : place + 1], ended=False) for place in range(len(LONG))]
    assert b"".join(passed) == LONG


def test_the_last_event_may_lack_its_end():
    event = f"data: {json.dumps(USAGE)}".encode()
    assert Strip().feed(b"data: 1\n\n" + event, ended=True) == b"data: 1\n\n"


@pytest.mark.parametrize("body", [b'{"stream":true}', b' \n{ "stream" : true, "model":"bot" }'])
def test_asking_adds_one_member(body: bytes):
    assert json.loads(asking(body)) == {**json.loads(body), "stream_options": {"include_usage": True}}
    assert asking(body).replace(b'"stream_options":{"include_usage":true},', b"") == body


def test_a_client_that_has_stream_options_of_its_own_is_told_apart():
    assert read_facts(b'{"stream":true}').stream_options != read_facts(b'{"stream_options":null}').stream_options
