"""Exchanges in, samples out."""

from __future__ import annotations

import json

from gatekeeper.errors import Fault
from gatekeeper.flow.score import score_lines

ANSWER = {"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}], "usage": {"completion_tokens": 1}}
GOOD = {"id": "1", "ts": 1.5, "arm": "baseline", "request": {}, "response": ANSWER, "timing": {"e2e_ms": 3}}


def test_each_line_is_a_sample_with_its_labels():
    (scored,) = score_lines([json.dumps(GOOD).encode()], "x")
    assert not isinstance(scored, Fault)
    labels = scored.pop("labels")
    assert labels["refusal"]["label"] == "none"
    assert scored["latency_ms"] == 3.0
    assert scored["refused"] is False


def test_bad_lines_are_named_and_good_ones_kept():
    lines = [
        b"not json\n",
        json.dumps(GOOD).encode(),
        b"\n",
        b"[1]",
        json.dumps(GOOD | {"arm": "left"}).encode(),
        json.dumps({"id": "2", "ts": 1}).encode(),
        json.dumps(GOOD | {"ts": "noon"}).encode(),
        json.dumps(GOOD | {"id": "3"}).encode(),
    ]
    scored = list(score_lines(lines, "in.jsonl"))
    assert [one["request_id"] for one in scored if not isinstance(one, Fault)] == ["1", "3"]
    faults = [str(one) for one in scored if isinstance(one, Fault)]
    assert [fault.split(": ")[0] for fault in faults] == [f"in.jsonl:{line}" for line in (1, 4, 5, 6, 7)]
    assert "expected unix seconds or an RFC 3339 time" in faults[4]


def test_times_are_read_either_way():
    lines = [json.dumps(GOOD | {"ts": ts}).encode() for ts in ("1970-01-01T00:01:00Z", "1970-01-01T01:01:00+01:00", 60)]
    assert [one["ts"] for one in score_lines(lines, "x") if not isinstance(one, Fault)] == [60.0, 60.0, 60.0]


def test_a_failed_exchange_counts_for_errors_alone():
    failed = {
        "id": "1",
        "ts": 1,
        "arm": "candidate",
        "response": None,
        "error": {"class": "timeout", "message": "late"},
    }
    (scored,) = score_lines([json.dumps(failed).encode()], "x")
    labels = {"failure": {"class": "timeout", "cause": "system", "transient": True}}
    assert scored == {"request_id": "1", "ts": 1.0, "arm": "candidate", "error": "timeout", "labels": labels}
