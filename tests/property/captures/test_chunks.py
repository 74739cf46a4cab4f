"""Chunks are read the same however they are cut, and what a parser of good repute refuses is refused here too."""

from __future__ import annotations

import contextlib

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.captures.chunks import BadChunks, Chunks


def encoded(pieces: list[bytes], extension: bytes, trailer: bytes) -> bytes:
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces if piece)
    return chunks + b"0\r\n" + trailer + b"\r\n"


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]


class Heard:
    """Hear what the parser reads."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self.body = b""
        self.ended = False

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body."""
        self.body += data

    def on_message_complete(self) -> None:
        """Note the end."""
        self.ended = True


@given(
    st.lists(st.binary(max_size=300)),
    st.sampled_from([b"", b";a=b"]),
    st.sampled_from([b"", b"x: y\r\n"]),
    st.lists(st.integers(0, 5000)),
    st.binary(max_size=3),
)
def test_any_cutting_gives_the_same_bytes(
    pieces: list[bytes], extension: bytes, trailer: bytes, places: list[int], after: bytes
):
    chunks = Chunks()
    body = rest = b""
    for read in cut(encoded(pieces, extension, trailer) + after, places):
        if chunks.ended:
            rest += read
        else:
            body += chunks.feed(read)
    assert body == b"".join(pieces)
    assert chunks.ended
    assert chunks.rest + rest == after


@given(
    st.lists(
        st.sampled_from([b"5", b"0", b"\r\n", b"\n", b"\r", b"abcde", b"a", b";x", b" ", b"-1", b"fffffffff", b"_"])
    ),
    st.lists(st.integers(0, 50)),
)
def test_it_takes_nothing_that_the_parser_refuses(words: list[bytes], places: list[int]):
    data = b"".join(words)
    heard, refused = Heard(), False
    parser = httptools.HttpResponseParser(heard)
    parser.feed_data(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    try:
        parser.feed_data(data)
    except httptools.HttpParserError:
        refused = True
    chunks = Chunks()
    body = b""
    with contextlib.suppress(BadChunks):
        for read in cut(data, places):
            body += chunks.feed(read)
            if chunks.ended:
                break
        if chunks.ended:
            assert heard.ended
            assert body == heard.body
        elif refused:
            assert heard.body.startswith(body) or body.startswith(heard.body)


@pytest.mark.parametrize(
    "data", [b"zz\r\n", b"-1\r\n", b"5\nabcde", b"1\r\nabc", b"1\r\na\n", b"0x5\r\nabcde\r\n", b"\r\n"]
)
def test_what_is_not_the_coding_is_refused(data: bytes):
    with pytest.raises(BadChunks):
        Chunks().feed(data)
