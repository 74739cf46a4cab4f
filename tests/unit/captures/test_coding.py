"""Compressed answers are read for measurement, whole or not at all."""

from __future__ import annotations

import gzip
import zlib

import pytest

from gatekeeper.captures import coding

PLAIN = b"data: {}\n\n" * 200


def reads(packed: bytes, size: int = 7) -> tuple[list[bytes], list[tuple[float, int]]]:
    pieces = [packed[start : start + size] for start in range(0, len(packed), size)]
    return pieces, [(float(number), (number + 1) * size) for number in range(len(pieces))]


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("", PLAIN),
        ("identity", PLAIN),
        ("gzip", gzip.compress(PLAIN, mtime=0)),
        ("x-gzip", gzip.compress(PLAIN[:500], mtime=0) + gzip.compress(PLAIN[500:], mtime=0)),
        ("deflate", zlib.compress(PLAIN)),
        ("deflate", bare(PLAIN)),
    ],
)
def test_what_was_packed_comes_out_with_a_mark_for_each_read(name: str, packed: bytes):
    pieces, marks = reads(packed)
    plain, found = coding.unpack(name, pieces, marks)
    assert plain == PLAIN
    assert [at for at, _ in found] == [at for at, _ in marks]
    assert found[-1][1] >= len(PLAIN)


def test_an_empty_body_has_no_coding():
    assert coding.unpack("gzip", [], []) == (b"", [])


@pytest.mark.parametrize("name", ["br", "zstd", "gzip, gzip"])
def test_other_codings_are_not_read(name: str):
    assert coding.unpack(name, [b"x"], [(0.0, 1)]) is None


@pytest.mark.parametrize("packed", [b"no gzip", gzip.compress(PLAIN, mtime=0)[:-9]])
def test_broken_bytes_are_told(packed: bytes):
    with pytest.raises(zlib.error):
        coding.unpack("gzip", *reads(packed))


def test_a_beginning_is_read_as_far_as_it_goes():
    pieces, marks = reads(gzip.compress(PLAIN, mtime=0), 1000)
    plain, _ = coding.unpack("gzip", [pieces[0][:30]], marks[:1], cut=True)
    assert PLAIN.startswith(plain)


def test_a_bomb_is_left_alone():
    packed = gzip.compress(b"\0" * (2 << 20), mtime=0)
    assert coding.unpack("gzip", [packed], [(0.0, len(packed))], most=1 << 20) is None
