"""From raw reads to an exchange, for each endpoint, streamed and not."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from msgspec import structs

from gatekeeper.captures.raw import RawExchange
from gatekeeper.captures.tap import evidence, to_exchange, unreadable
from gatekeeper.gateway.capture import Capture
from gatekeeper.gateway.http import Request, read_request_head, read_response_head
from gatekeeper.gateway.labels import Labels
from gatekeeper.metrics._scoring import score_exchange
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange, Failure
from gatekeeper.model.split import Endpoint, Split

ENDPOINT = Endpoint(url="http://x", model="m", prompt_usd=1.0, completion_usd=2.0)
SPLIT = Split(service="bot", epoch=3, version=1, baseline=ENDPOINT, salt="s", rollout_id="r", stage=2)

OUTPUT = [
    {"type": "reasoning", "summary": []},
    {"type": "message", "content": [{"type": "output_text", "text": "It is "}, {"type": "output_text", "text": "4."}]},
    {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a":1}'},
]
DONE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "m",
    "output": OUTPUT,
    "usage": {"input_tokens": 10, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}},
}


def capture(
    path: str, *reads: bytes, kind: str = "application/json", coding: str = "", failure: Failure | None = None
) -> Capture:
    sent = read_request_head(b"POST", path.encode(), [], 1)
    request = Request(head=sent, body=b'{"model":"bot"}', keep_alive=True, peer="p", arrived=100.0)
    headers = [(b"Content-Type", kind.encode())] + ([(b"Content-Encoding", coding.encode())] if coding else [])
    made = Capture(
        id="e",
        ts=1.0,
        arm=Arm.CANDIDATE,
        split=SPLIT,
        endpoint=ENDPOINT,
        stage=2,
        request=request,
        labels=Labels(key="k"),
        began=100.0,
        head=read_response_head(200, b"OK", headers, None, bodiless=False),
        failure=failure,
    )
    for number, read in enumerate(reads, start=1):
        made.add(read, 100.0 + number, 1 << 20)
    made.ended = 101.0 + len(reads)
    return made


def read(made: Capture) -> Exchange:
    raw = made.raw()
    exchange = to_exchange(raw)
    assert unreadable(raw) == (exchange.response is None and exchange.error is None)
    return exchange


def sse(*events: dict[str, Any]) -> list[bytes]:
    return [f"event: {event.get('type')}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def stream(path: str, *events: dict[str, Any]) -> Capture:
    return capture(path, *sse(*events), kind="text/event-stream; charset=utf-8")


def response_events(*last: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "response.created", "response": {**DONE, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "item": {"type": "message"}},
        {"type": "response.output_text.delta", "delta": "", "output_index": 0},
        {"type": "response.output_text.delta", "delta": "It is ", "output_index": 0},
        {"type": "response.output_text.delta", "delta": "4.", "output_index": 0},
        {"type": "response.function_call_arguments.delta", "delta": '{"a":1}'},
        *last,
    ]


def test_a_streamed_response_folds_to_the_same_answer_as_one_at_once():
    streamed = read(stream("/v1/responses", *response_events({"type": "response.completed", "response": DONE})))
    whole = read(capture("/v1/responses", json.dumps(DONE).encode()))
    assert streamed.error is None
    assert streamed.response == whole.response
    choice = whole.response["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {
        "role": "assistant",
        "content": "It is 4.",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}],
    }
    assert (whole.response["usage"]["prompt_tokens"], whole.response["usage"]["completion_tokens"]) == (10, 5)
    assert streamed.cost_usd == whole.cost_usd == pytest.approx(20e-6)
    assert streamed.timing.ttft_ms == pytest.approx(4000)
    assert streamed.timing.tpot_ms == pytest.approx(2000 / (5 - 2 - 1))
    assert streamed.timing.itl_p50_ms == pytest.approx(1000)
    assert whole.timing.ttft_ms is None
    assert whole.unmeasured["ttft_ms"] == "the answer was not streamed"


def test_a_refusal_and_an_incomplete_response_keep_their_reasons():
    refusal = {"type": "message", "content": [{"type": "refusal", "refusal": "I cannot."}]}
    declined = read(capture("/v1/responses", json.dumps({**DONE, "output": [refusal]}).encode()))
    assert declined.response["choices"][0]["message"]["refusal"] == "I cannot."
    cut = {**DONE, "status": "incomplete", "output": OUTPUT[:2]}
    for reason, finish in (("max_output_tokens", "length"), ("content_filter", "content_filter")):
        told = {**cut, "incomplete_details": {"reason": reason}}
        ended = read(stream("/v1/responses", *response_events({"type": "response.incomplete", "response": told})))
        assert ended.response["choices"][0]["finish_reason"] == finish


@pytest.mark.parametrize(
    ("last", "kind", "text"),
    [
        ([], "stream_broken", "without a finish_reason"),
        (
            [{"type": "response.failed", "response": {**DONE, "status": "failed", "error": {"message": "oom"}}}],
            "stream_broken",
            "oom",
        ),
        ([{"type": "error", "code": "server_error", "message": "gone"}], "stream_broken", "gone"),
    ],
)
def test_a_response_that_breaks_is_a_failure(last: list[dict[str, Any]], kind: str, text: str):
    broken = read(stream("/v1/responses", *response_events(*last)))
    assert broken.error.kind == kind
    assert text in broken.error.message
    assert broken.timing.ttft_ms is not None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {**DONE, "status": "failed", "error": {"message": "oom"}}),
        ("/v1/responses", {"object": "response"}),
        ("/v1/completions", {"object": "text_completion"}),
        ("/v1/chat/completions", {"choices": "none"}),
        ("/v1/embeddings", {"object": "list"}),
        ("/v1/embeddings", ["x"]),
    ],
)
def test_what_is_no_answer_is_a_failure(path: str, body: object):
    assert read(capture(path, json.dumps(body).encode())).error.kind == "bad_response"


def test_completions_are_read_streamed_and_not():
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    parts = [{"choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in ("", "a", "b")]
    end = {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}
    streamed = read(stream("/v1/completions", *parts, end, {"choices": [], "usage": usage}))
    body = {"choices": [{"index": 0, "text": "ab", "finish_reason": "stop"}], "usage": usage}
    whole = read(capture("/v1/completions", json.dumps(body).encode()))
    assert streamed.response["choices"][0]["message"] == whole.response["choices"][0]["message"]
    assert streamed.response["usage"] == whole.response["usage"] == usage
    assert streamed.timing.ttft_ms == pytest.approx(2000)
    assert streamed.timing.tpot_ms == pytest.approx(1000)


def test_without_usage_the_counts_and_tpot_are_unknown_and_say_so():
    parts = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in "abc"]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    exchange = read(stream("/v1/chat/completions", *parts, end))
    assert exchange.timing.tpot_ms is None
    assert exchange.timing.itl_max_ms == pytest.approx(1000)
    assert exchange.unmeasured == dict.fromkeys(
        ("tpot_ms", "prompt_tokens", "completion_tokens"), "the engine sent no token counts"
    )
    sample, labels = score_exchange(exchange)
    assert sample.completion_tokens is None
    assert labels["unscored"].items() >= exchange.unmeasured.items()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_stream_is_timed_by_its_tokens(coding: str):
    import zlib  # noqa: PLC0415 - one packer for both codings

    packer = zlib.compressobj(wbits=31 if coding == "gzip" else 15)
    deltas = [{"role": "assistant", "content": ""}, {"content": "a"}, {"content": "b"}]
    events = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    events += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
    reads = [packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH) for event in sse(*events)]
    reads[-1] += packer.flush()
    exchange = read(capture("/v1/chat/completions", *reads, kind="text/event-stream", coding=coding))
    assert exchange.error is None
    assert exchange.response["choices"][0]["message"]["content"] == "ab"
    assert exchange.timing.ttft_ms == pytest.approx(2000)


def test_a_body_that_is_not_in_its_coding_is_a_bad_response_and_another_coding_is_not_read():
    packed = gzip.compress(b'{"choices": []}')
    assert read(capture("/v1/chat/completions", packed[:-4], coding="gzip")).error.kind == "bad_response"
    unread = read(capture("/v1/chat/completions", b"?", coding="br"))
    assert (unread.error, unread.response) == (None, None)


def test_what_cannot_be_read_whole_becomes_a_notice_that_its_stage_lacks_it():
    raw = capture("/v1/chat/completions", b"?", coding="br").raw()
    notice = evidence(raw)
    assert (notice.id, notice.lost, notice.place) == ("lost/e", 1, raw.place)
    assert evidence(structs.replace(raw, rollout_id="")) is None
    told = evidence(RawExchange("n", 1.0, Arm.CANDIDATE, "bot", "r", 2, 3, lost=4))
    assert (told.id, told.lost, told.place) == ("n", 4, raw.place)


def test_a_body_still_in_chunks_is_read_as_without_them():
    events = response_events({"type": "response.completed", "response": DONE})
    plain = stream("/v1/responses", *events).raw()
    framed = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in plain.pieces]
    framed[-1] += b"0\r\n\r\n"
    assert to_exchange(structs.replace(plain, pieces=framed, chunked=True)) == to_exchange(plain)
    broken = to_exchange(structs.replace(plain, chunked=True))
    assert broken.error.kind == "bad_response"


def test_embeddings_are_measured_without_vectors_or_behaviour():
    body = {"object": "list", "model": "e", "data": [{"embedding": [0.1] * 99}], "usage": {"prompt_tokens": 8}}
    exchange = read(capture("/v1/embeddings", json.dumps(body).encode()))
    assert exchange.response == {**body, "data": []}
    sample, labels = score_exchange(exchange)
    assert (sample.error, sample.prompt_tokens, sample.latency_ms) == (None, 8.0, 2000.0)
    assert sample.cost_usd == pytest.approx(8e-6)
    assert (sample.refused, sample.degenerate, sample.task_success, sample.policy_violation) == (None,) * 4
    assert "refusal_rate" in labels["unscored"]


def test_what_the_request_path_saw_comes_first():
    cut = capture("/v1/chat/completions", b"{", failure=Failure(kind="client_closed", message="left"))
    assert read(cut).error.kind == "client_closed"
    none = capture("/v1/chat/completions")
    none.head = None
    assert read(none).error.kind == "bad_response"
