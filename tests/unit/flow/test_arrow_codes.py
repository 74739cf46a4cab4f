"""Arrow columns become codes, whatever their type and length."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from gatekeeper.flow import _arrow, _ids

NAMES = ["baseline", "candidate", "control"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_known_names_become_their_codes(kind: pa.DataType):
    codes = _arrow.codes_of(pa.array(["control", "baseline", "candidate"], kind), NAMES)
    assert codes is not None
    assert codes.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["baseline", None]),
        pa.array(["baseline", "Candidate"]),
        pa.array(["baseline", "candidate"]).dictionary_encode(),
        pa.array([0, 1]),
    ],
)
def test_any_other_column_is_left_to_the_slower_way(column: pa.Array):
    assert _arrow.codes_of(column, NAMES) is None


def test_many_ids_have_the_codes_that_few_have(monkeypatch: pytest.MonkeyPatch):
    ids = [f"request-{i:06d}" for i in range(1000)]
    whole = _ids.id_codes(ids)
    monkeypatch.setattr(_ids, "AT_ONCE", 64)
    assert np.array_equal(_ids.id_codes(ids), whole)
    assert len(set(whole.tolist())) == len(ids)


@pytest.mark.parametrize("at_once", [2, 3, 1 << 14])
@pytest.mark.parametrize("length", [8, 11, 16, 17])
def test_ids_in_ascending_order_are_known_as_such(length: int, at_once: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_ids, "AT_ONCE", at_once)
    ids = [f"{i:0{length}d}" for i in [0, 1, 2, 9, 10, 255, 256, 99_999]]
    assert _ids.increase(*_arrow.texts(pa.array(["first", *ids]).slice(1)))
    for row in range(1, len(ids)):
        for other in (ids[row - 1], ids[0]):
            assert not _ids.increase(*_arrow.texts(pa.array([*ids[:row], other, *ids[row + 1 :]])))


@pytest.mark.parametrize("ids", [[], ["1", "2"], ["request-1", "request-10"], ["\x7frequest", "\x01request"]])
def test_ids_that_may_repeat_are_not_taken_for_ascending(ids: list[str]):
    assert not _ids.increase(*_arrow.texts(pa.array(ids, pa.string())))


def test_bytes_beyond_ascii_are_compared_without_a_sign():
    assert _ids.increase(*_arrow.texts(pa.array(["request-a!", "request-é"])))
