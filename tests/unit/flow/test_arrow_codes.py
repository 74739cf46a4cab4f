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
