"""Bad habits: each spoils its own kind of answer, at its rate, and nothing else."""
# ruff: noqa: S311  # seeded draws, not secrets

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.demo import tasks
from gatekeeper.demo.habits import HABITS

SPOILED = {"over_refuse": {"benign"}, "break_json": {"order", "ticket"}, "miscalculate": {"arithmetic"}}


@given(
    seed=st.integers(0, 2**32), habit=st.sampled_from(sorted(HABITS)), family=st.sampled_from(sorted(tasks.FAMILIES))
)
def test_a_habit_spoils_its_own_families_and_no_other(seed: int, habit: str, family: str):
    example = tasks.draw(random.Random(seed), "any", family)
    spoiled = HABITS[habit](example, random.Random(seed), 1.0)
    assert (spoiled.answer != example.answer) == (family in SPOILED[habit])
    assert HABITS[habit](example, random.Random(seed), 0.0) == example


def test_broken_json_holds_the_right_answer_and_does_not_parse():
    example = tasks.draw(random.Random(0), "any", "order")
    spoiled = HABITS["break_json"](example, random.Random(0), 1.0)
    assert example.answer in spoiled.answer
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(spoiled.answer)
