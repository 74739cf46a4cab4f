"""Rows of the same unit."""

from __future__ import annotations

import numpy as np
import pytest

from gatekeeper.decide._grouping import first_of_each


@pytest.mark.parametrize(("n", "most"), [(0, 1), (1, 1), (50, 3), (5_000, 900), (50_000, 2**62)])
def test_the_first_row_of_each_code_is_found(n: int, most: int):
    codes = np.random.default_rng(0).integers(0, most, n)
    _, at, inverse = np.unique(codes, return_index=True, return_inverse=True)
    np.testing.assert_array_equal(first_of_each(codes), at[inverse])


def test_codes_that_share_every_place_are_told_apart():
    codes = np.tile(np.arange(4_000) << 50, 3)
    np.testing.assert_array_equal(first_of_each(codes), np.tile(np.arange(4_000), 3))
