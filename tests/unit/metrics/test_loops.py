"""Texts that go round in circles."""

from __future__ import annotations

import pytest

from gatekeeper.metrics._loops import packing, periodic_tail, repetition

PROSE = (
    "The harbour was quiet when we came back from the islands, and only two boats were still out at sea. Nobody spoke"
    " until the lamps were lit along the wall; then an old man asked whether we had seen the storm, and what it did."
)


@pytest.mark.parametrize(
    ("piece", "rounds"),
    [("and so on, ", 40), ("!", 300), ("我们", 150), ("A line of some length that comes again.\n", 9)],
)
def test_a_tail_that_repeats(piece: str, rounds: int):
    text = PROSE + "\n" + piece * rounds
    assert len(piece) * (rounds - 1) - 2 <= periodic_tail(text) <= len(piece) * rounds + 1


@pytest.mark.parametrize("text", ["", "ha ha ha", PROSE, PROSE * 2, "-" * 150, PROSE + "\n" + "=" * 80])
def test_no_loop(text: str):
    assert periodic_tail(text) == 0


def test_repetition_and_packing_tell_loops_from_prose():
    assert repetition(PROSE) == 0.0
    assert packing(PROSE) < 2.5
    assert repetition("I am happy to help. " * 20) > 0.9
    assert packing("I am happy to help. " * 20) > 5
    assert packing("") == 1.0
    assert repetition("I AM happy, to help! i am happy to help... " * 10) > 0.9
