"""Captures come out of their frames as they went in, wherever the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.captures.frames import HEAD_BYTES, ends, frames_of, read_frame, split_frames
from gatekeeper.captures.raw import RawExchange
from gatekeeper.errors import InputError
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Failure

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PIECES = st.lists(st.binary(max_size=50), max_size=4)
JSON = st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXTS, max_size=3)
CAPTURES = st.builds(
    lambda pieces, **fields: RawExchange(**fields, pieces=pieces, times=[float(n) for n in range(len(pieces))]),
    PIECES,
    id=TEXTS,
    ts=st.floats(0, 1e10),
    arm=st.sampled_from(Arm),
    service=TEXTS,
    rollout_id=TEXTS,
    stage=st.integers(-1, 9),
    epoch=st.integers(0, 9),
    pair_id=st.none() | TEXTS,
    segment=st.none() | TEXTS | st.dictionaries(TEXTS, TEXTS, max_size=2),
    expect=st.lists(JSON, max_size=2).map(tuple),
    request=st.binary(max_size=200),
    ended=st.none() | st.floats(0, 1e10),
    failure=st.none() | st.builds(Failure, kind=TEXTS, message=TEXTS),
    lost=st.integers(0, 9),
)


@given(st.lists(CAPTURES, max_size=5), st.integers(0, 6))
def test_frames_hold_what_was_put_in_and_are_cut_where_they_end(captures: list[RawExchange], most: int):
    data = frames_of(captures)
    assert [read_frame(frame) for frame in split_frames(data)] == captures
    places = ends(data, most)
    assert len(places) == min(most, len(captures))
    assert [read_frame(frame) for frame in split_frames(data[: places[-1] if places else 0])] == captures[:most]


@given(st.lists(CAPTURES, min_size=1, max_size=3), st.data())
def test_what_ends_within_a_frame_holds_only_the_frames_before(captures: list[RawExchange], draw: st.DataObject):
    data = frames_of(captures)
    whole = ends(data, len(captures))
    cut = draw.draw(st.integers(1, len(data)))
    assert ends(data[:cut], 9) == [end for end in whole if end <= cut]
    if cut not in whole:
        with pytest.raises(InputError, match="within a frame"):
            list(split_frames(data[:cut]))


@given(st.binary(max_size=60))
def test_other_bytes_are_no_capture(frame: bytes):
    try:
        raw = read_frame(frame)
    except InputError:
        return
    assert len(raw.times) == len(raw.pieces)


def test_a_newer_writers_fields_are_passed_over():
    raw = RawExchange("a", 1.0, Arm.BASELINE, "s", "", -1, 0)
    frame = frames_of([raw])[HEAD_BYTES:]
    assert frame[:1] == b"\xdc"  # an array with a count of 16 bits
    longer = b"\xdc" + (int.from_bytes(frame[1:3], "big") + 1).to_bytes(2, "big") + frame[3:] + b"\x07"
    assert read_frame(longer) == raw


def test_what_messagepack_cannot_hold_leaves_the_others_as_they_were():
    bad = RawExchange("a", 1.0, Arm.BASELINE, "s", "", -1, 0, expect=({"n": 2**70},))
    with pytest.raises(ValueError, match="capture 'a'"):
        frames_of([bad])
