"""The demo's tasks: reproducible, split for good, solvable backwards, and asked as the API wants them."""
# ruff: noqa: S311  # seeded draws, not secrets

from __future__ import annotations

import base64
import json
import random

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.demo import tasks
from gatekeeper.demo.words import BENIGN, HARMFUL

seeds = st.integers(0, 2**32)
families = st.sampled_from(sorted(tasks.FAMILIES))


@given(seed=seeds, family=families)
def test_the_same_seed_draws_the_same_example(seed: int, family: str):
    assert tasks.draw(random.Random(seed), "any", family) == tasks.draw(random.Random(seed), "any", family)


@given(seed=seeds, family=families)
def test_every_prompt_is_solved_back_into_its_example(seed: int, family: str):
    example = tasks.draw(random.Random(seed), "any", family)
    assert tasks.solve(example.prompt) == example


@given(seed=seeds)
def test_training_never_sees_a_held_out_prompt(seed: int):
    assert not tasks.held_out(tasks.draw(random.Random(seed), "train").prompt)
    assert tasks.held_out(tasks.draw(random.Random(seed), "held_out").prompt)


@given(prompt=st.text())
def test_a_strange_prompt_has_no_answer(prompt: str):
    assert tasks.solve(prompt) is None


@given(seed=seeds, family=st.sampled_from(["order", "ticket"]))
def test_the_right_answer_follows_its_own_schema(seed: int, family: str):
    example = tasks.draw(random.Random(seed), "any", family)
    assert example.response_schema is not None
    jsonschema.Draft202012Validator(example.response_schema).validate(json.loads(example.answer))
    assert example.expect == ({"type": "json_subset", "value": json.loads(example.answer)},)


def test_harmful_and_harmless_share_verbs_but_no_deed():
    shared = HARMFUL.keys() & BENIGN.keys()
    assert shared
    assert not any(set(HARMFUL[verb]) & set(BENIGN[verb]) for verb in shared)


def test_the_evalset_is_distinct_held_out_and_of_the_size_asked():
    drawn = tasks.evalset()
    assert len({example.prompt for example in drawn}) == len(drawn) == sum(tasks.EVAL_SIZES.values())
    assert all(tasks.held_out(example.prompt) for example in drawn)
    assert drawn == tasks.evalset()


def test_an_evalset_larger_than_the_family_is_refused():
    with pytest.raises(ValueError, match="'day' has fewer than 20"):
        tasks.evalset({"day": 20})


@given(seed=seeds, family=families, stream=st.booleans())
def test_the_body_asks_without_letting_the_server_repair_json(seed: int, family: str, stream: bool):  # noqa: FBT001
    example = tasks.draw(random.Random(seed), "any", family)
    asked = tasks.body(example, "support", stream=stream, temperature=0.5, seed=3, max_tokens=9)
    assert asked["model"] == "support"
    assert asked["messages"] == [{"role": "user", "content": example.prompt}]
    assert (asked["temperature"], asked["seed"], asked["max_tokens"]) == (0.5, 3, 9)
    assert "response_format" not in asked
    assert ("tools" in asked) == (family == "weather")
    assert asked.get("stream_options") == ({"include_usage": True} if stream else None)


@given(seed=seeds, family=families)
def test_the_header_carries_what_the_scorer_needs(seed: int, family: str):
    example = tasks.draw(random.Random(seed), "any", family)
    told = json.loads(base64.b64decode(tasks.headers(example)[tasks.EXPECT_HEADER]))
    assert told["expect"] == list(example.expect)
    assert told.get("response_schema") == example.response_schema
