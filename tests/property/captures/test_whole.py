"""Frames written piece by piece are read as what the encoder writes of the same exchange."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.captures.frames import frame_of, read_frame, split_frames
from gatekeeper.captures.whole import fields_of, kind_of, whole_frame

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
NAMES = st.one_of(st.none(), TEXT)
CLOCK = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(0, 2**63)
BYTES = st.binary(max_size=300) | st.sampled_from([b"x" * 65_535, b"x" * 65_536])
SEGMENT = st.one_of(st.none(), TEXT, st.dictionaries(TEXT, TEXT, max_size=3))
EXPECT = st.tuples() | st.tuples(st.dictionaries(TEXT, st.one_of(TEXT, st.booleans(), CLOCK), max_size=2))


@given(
    place=st.tuples(st.sampled_from(["baseline", "candidate"]), TEXT, TEXT, WHOLE, WHOLE),
    told=st.tuples(NAMES, SEGMENT, EXPECT, st.none() | st.just({"type": "object"}), TEXT),
    prices=st.tuples(CLOCK, CLOCK),
    own_id=TEXT,
    pair_id=NAMES,
    texts=st.tuples(BYTES, BYTES),
    head=st.tuples(st.integers(100, 599), TEXT, TEXT),
    times=st.tuples(CLOCK, CLOCK, CLOCK, CLOCK),
)
def test_they_are_read_as_what_the_encoder_writes(
    place: tuple[Any, ...],
    told: tuple[Any, ...],
    prices: tuple[float, float],
    own_id: str,
    pair_id: str | None,
    texts: tuple[bytes, bytes],
    head: tuple[int, str, str],
    times: tuple[float, float, float, float],
):
    kind = kind_of(place, told, prices)
    assert kind is not None
    (request, answer), (ts, came, began, ended) = texts, times
    frame = whole_frame(kind, own_id, ts, pair_id, request, fields_of(head), answer, came, began, ended)
    if max(len(request), len(answer)) > 65_535 or len(own_id.encode()) > 255:
        assert frame is None
        return
    assert frame is not None
    fields = (own_id, ts, *place, pair_id, *told, request, *head, [answer], [came], False, began, ended, False, False)
    general = frame_of((*fields, None, *prices), own_id)
    (plain,), (wanted,) = split_frames(frame), split_frames(general)
    assert read_frame(plain) == read_frame(wanted)


def test_what_cannot_be_written_is_no_kind():
    assert kind_of(("baseline", "bot", "r", 1, 2**64), (), ()) is None
    assert kind_of((), (object(),), ()) is None
