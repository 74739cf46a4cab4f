"""A head is found again by everything but its length and its id, and by nothing less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.gateway.heads import Again, Heads

PIECES = st.sampled_from(
    [
        b"POST / HTTP/1.1\r\n",
        b"Host: x\r\n",
        b"Content-Length: 12\r\n",
        b"content-length: 12\r\n",
        b"Content-Length: 1 2\r\n",
        b"Content-Length: \r\n",
        b"X-A: Content-Length: 12\r\n",
        b"x-request-id: a\r\n",
        b"X-Request-ID: a b\r\n",
        b"\r\n",
    ]
)


@given(st.lists(PIECES), st.binary(max_size=20))
def test_what_is_cut_out_put_back_is_the_head(pieces: list[bytes], body: bytes):
    data = b"".join(pieces) + b"A: b\r\n\r\n" + body
    _, found = Heads[int]().find(data)
    if found is None:
        assert b"1 2" in data or b"a b" in data or b"h: \r" in data
        return
    assert data[: found.end].endswith(b"\r\n\r\n")
    taken = len(str(found.length)) if found.length is not None else 0
    assert len(found.key) + taken + len(found.sent_id or b"") + 2 == found.end


def test_another_length_and_id_find_the_same():
    heads = Heads[str]()
    _, first = heads.find(b"POST / HTTP/1.1\r\nX-Request-ID: a\r\nContent-Length: 5\r\nA: b\r\n\r\nhello")
    assert first is not None
    heads.learn(first.key, "known")
    known, again = heads.find(b"POST / HTTP/1.1\r\nX-Request-ID: b:2\r\nContent-Length: 123\r\nA: b\r\n\r\n")
    assert again is not None
    assert (known, again.length, again.sent_id) == ("known", 123, b"b:2")
    other, _ = heads.find(b"POST / HTTP/1.1\r\nX-Request-ID: b\r\nContent-Length: 5\r\nA: c\r\n\r\n")
    assert other is None


@pytest.mark.parametrize("length", [b"+5", b"5, 5", b"0x5", b"5\t", b"\xb2", b"99999999999", b"", b"1\n2"])
def test_a_length_that_is_not_plain_is_left_to_the_parser(length: bytes):
    sent = b"POST / HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n"
    assert Heads[str]().find(sent) == (None, None)


def test_it_is_bounded():
    heads = Heads[int](bound=2)
    for number in range(3):
        heads.learn(b"%d\r\n" % number, number)
    assert [heads.find(b"%d\r\n\r\n" % number)[0] for number in range(3)] == [None, None, 2]


@given(st.lists(PIECES, max_size=4), st.sampled_from([b"7", b"12", b"9999999999", b"99999999999", b"+5", b""]))
def test_a_head_that_comes_again_is_read_as_it_was_found(pieces: list[bytes], length: bytes):
    first = b"".join(piece for piece in pieces if piece != b"\r\n") + b"A: b\r\n\r\n"
    heads = Heads[str]()
    _, learned = heads.find(first)
    if learned is None or learned.sent_id is not None:
        return
    heads.learn(learned.key, "known")
    again = Again(first, learned, "known")
    for second in (first, first.replace(b"12", length), first.replace(b"Host: x", b"Host: y"), first[:-3]):
        head, found = heads.find(second + b"body")
        known = head is not None and found is not None
        assert again.match(second + b"body") == (found.end if known else -1)
        assert not known or again.length == found.length
