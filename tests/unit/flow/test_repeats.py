"""Repeated ids are found whether or not all rows come at once."""

from __future__ import annotations

import numpy as np
import pytest

from gatekeeper.flow import _repeats
from gatekeeper.flow._repeats import Repeats


def one_by_one(requests: list[int], arm: list[int]) -> list[bool]:
    seen: set[tuple[int, int]] = set()
    fresh = []
    for key in zip(requests, arm, strict=True):
        fresh.append(key[0] < 0 or key not in seen)
        seen.add(key)
    return fresh


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("different", [20, 3000])
def test_repeats_are_those_found_one_by_one(different: int, *, last: bool):
    rng = np.random.default_rng(different)
    requests = rng.integers(-1, different, 1000) << 40
    requests[requests < 0] = -1
    arm = rng.integers(0, 2, 1000).astype(np.int8)
    fresh = Repeats().first(requests, arm, last=last)
    assert fresh is not None
    assert fresh.tolist() == one_by_one(requests.tolist(), arm.tolist())


@pytest.mark.parametrize("missing", [0, 5])
def test_ids_that_share_a_place_in_the_table_are_no_repeats(missing: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_repeats, "MOST_BITS", 4)
    requests = np.arange(500, dtype=np.int64) << 20
    requests[:missing] = -1
    assert Repeats().first(requests, np.zeros(500, np.int8), last=True) is None
    again = np.append(requests, requests[300])
    fresh = Repeats().first(again, np.zeros(501, np.int8), last=True)
    assert fresh is not None
    assert np.flatnonzero(~fresh).tolist() == [500]
