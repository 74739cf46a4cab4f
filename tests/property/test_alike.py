"""Prompts alike: the filtered search finds what comparing every pair finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.decide.alike import Alike, alike, pieces_of

TEXTS = st.lists(st.text(alphabet="ab 1", max_size=14), max_size=12)


@given(TEXTS, st.sampled_from([0.1, 0.3, 0.5, 0.75, 0.8, 0.9, 1.0]))
def test_it_finds_exactly_the_pairs_that_comparing_all_finds(texts: list[str], least: float):
    pieces = [pieces_of(text) for text in texts]
    every = [
        Alike(later, earlier, len(own & pieces[earlier]) / len(own | pieces[earlier]))
        for later, own in enumerate(pieces)
        for earlier in range(later)
    ]
    assert sorted(alike(texts, least)) == sorted(pair for pair in every if pair.share >= least)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Add 12 and 30.", "add  7 and 1234.", True),
        ("Add 12 and 30.", "Subtract 12 from 30.", False),
        ("Hi", "hi", True),
        ("\u6771\u4eac\u306f\u4eca\u65e5\u6674\u308c", "\u6771\u4eac\u306f\u4eca\u65e5\u96e8", False),
    ],
)
def test_case_space_and_numbers_do_not_count(one: str, other: str, *, same: bool):
    assert bool(list(alike([one, other], 0.99))) is same
