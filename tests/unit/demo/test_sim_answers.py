"""What simulated models say: the right thing, spoiled by their own habit about as often as they should."""
# ruff: noqa: S311  # seeded draws, not secrets

from __future__ import annotations

import random

import pytest

from gatekeeper.demo import tasks
from gatekeeper.demo.catalogue import CATALOGUE
from gatekeeper.demo.sim_answers import SLIPPERY, UNKNOWN, answer, flags
from gatekeeper.errors import UnknownNameError


@pytest.mark.parametrize("model", sorted(CATALOGUE))
def test_wrong_answers_come_at_the_habits_rate(model: str):
    rng = random.Random(1)
    recipe = CATALOGUE[model].recipe
    spoiled = {"over_refuse": "benign", "break_json": "order", "miscalculate": "arithmetic"}
    rates = {spoiled[habit]: rate for habit, rate in (recipe.habits if recipe else {}).items()}
    for family in tasks.FAMILIES:
        drawn = [tasks.draw(rng, "any", family) for _ in range(400)]
        wrong = sum(answer(model, example.prompt, index) != example.answer for index, example in enumerate(drawn))
        if family == "ticket" and "order" in rates:
            continue
        slips = 0.015 if family in SLIPPERY else 0.0
        assert wrong / len(drawn) == pytest.approx(rates.get(family, slips), abs=0.08)


def test_the_same_prompt_has_the_same_answer_at_temperature_zero():
    example = tasks.draw(random.Random(2), "any", "benign")
    assert len({answer("over-refuses", example.prompt, None) for _ in range(20)}) == 1
    assert len({answer("over-refuses", example.prompt, seed) for seed in range(20)}) > 1


def test_an_unknown_prompt_gets_a_general_answer_and_an_unknown_model_none():
    assert answer("baseline", "Sing.", None) == UNKNOWN
    with pytest.raises(UnknownNameError, match="'best'"):
        answer("best", "Sing.", None)
    with pytest.raises(UnknownNameError, match="'best'"):
        flags("best")
