"""The fuzzer finds what it looks for, and a short run of it finds nothing in the gateway."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "gateway"))

import fuzz
import fuzz_inputs
import fuzz_sides


def test_a_short_run_finds_nothing():
    counts = fuzz.run(1_500, seed=20)
    assert counts["requests"] > 500
    assert counts["responses"] > 500


@pytest.mark.parametrize("seed", fuzz_inputs.REQUESTS)
def test_a_good_request_is_understood_as_the_strict_reader_does(seed: bytes):
    seen, statuses = fuzz_sides.requests(fuzz_inputs.cuts(random.Random(1), seed))  # noqa: S311 - a seeded test
    assert seen == fuzz.read_strictly(seed)
    assert (len(seen), statuses) == (1, [])


@pytest.mark.parametrize("seed", fuzz_inputs.RESPONSES)
def test_a_good_response_is_understood(seed: bytes):
    end, status, body = fuzz_sides.answer([seed])
    assert (end, status) == ("whole", int(seed.rpartition(b"HTTP/1.")[2].split()[1]))
    assert body in (b"{}", b"data: a\r\n", b"0123456789", b"to the end", b"", b"1", b"down")


@pytest.mark.parametrize(
    "data",
    [
        fuzz_inputs.POST + b"Content-Length: 15\r\nContent-Length: 16\r\n\r\n" + fuzz_inputs.BODY + b"x",
        fuzz_inputs.POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        fuzz_inputs.POST + b"X: a\nContent-Length: 0\r\n\r\n",
        fuzz_inputs.POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcdeXX0\r\n\r\n",
        fuzz_inputs.POST + b"Content-Length: 99\r\n\r\n",
    ],
)
def test_the_strict_reader_takes_nothing_that_is_in_doubt(data: bytes):
    assert fuzz.read_strictly(data) == []


def test_a_second_answer_behind_the_first_is_nobodys():
    two = b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    assert fuzz_sides.answer([two]) == ("whole", 204, b"")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\n{}", "a status below 100"),
        (b"HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\n{}", "an interim answer with a body"),
    ],
)
def test_an_interim_answer_that_is_none_is_refused(data: bytes, why: str):
    assert fuzz_sides.answer([data]) == ("bad_response", 0, b""), why


def test_what_a_read_held_before_a_head_is_no_part_of_it():
    whole = fuzz_inputs.POST + b"Content-Length: 15\r\n\r\n" + fuzz_inputs.BODY
    many = whole * (fuzz_sides.LIMITS.header_bytes // len(whole) + 2)
    cut = len(many) - len(whole) + 20
    seen, statuses = fuzz_sides.requests([many[:cut], many[cut:]])
    assert (len(seen), statuses) == (many.count(b"POST"), [])


@pytest.mark.parametrize("step", [1, 7, 100, 4_000])
def test_a_head_that_never_ends_is_refused_however_it_is_cut(step: int):
    endless = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 3 * fuzz_sides.LIMITS.header_bytes
    _, statuses = fuzz_sides.requests([endless[at : at + step] for at in range(0, len(endless), step)])
    assert statuses == [431]
