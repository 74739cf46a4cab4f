"""The set of units that were counted."""

from __future__ import annotations

import numpy as np

from gatekeeper.decide import _seen


def test_what_was_noted_is_known_and_little_else():
    rng = np.random.default_rng(0)
    old, new = rng.integers(0, 2**62, 20_000), rng.integers(0, 2**62, 20_000)
    seen = _seen.noted(None, old)
    assert _seen.known(seen, old).all()
    assert 0.005 < _seen.known(seen, new).mean() < 0.03
    assert not _seen.known(seen, np.full(5, -1)).any()
    assert not _seen.known(None, old).any()


def test_rows_without_a_unit_leave_it_alone():
    assert _seen.noted(None, np.full(3, -1)) is None
    seen = _seen.noted(None, np.array([7]))
    assert _seen.noted(seen, np.full(3, -1)) is seen


def test_it_is_text_of_a_bounded_size():
    assert _seen.to_text(None) is _seen.from_text(None) is None
    rng = np.random.default_rng(0)
    for count, most in ((10, 2_000), (1_000, 10_000), (1_000_000, 180_000)):
        seen = _seen.noted(None, rng.integers(0, 2**62, count))
        text = _seen.to_text(seen)
        assert len(text) < most
        np.testing.assert_array_equal(_seen.from_text(text), seen)
