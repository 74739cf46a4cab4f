"""Whatever a model writes, and whatever shape its body has, scoring ends with a sample."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.metrics._checks import CHECKS
from gatekeeper.metrics._json import parse
from gatekeeper.metrics._loops import most_repetition, repetition
from gatekeeper.metrics._patterns import search
from gatekeeper.metrics._scoring import score_exchange
from gatekeeper.metrics._subset import holds
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.wire import sample_to_dict

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        "choices",
        "message",
        "content",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "usage",
        "refusal",
        "output",
        "data",
        "object",
        "finish_reason",
        "prompt_tokens",
        "type",
        "text",
    ]
)
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("list"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(
    response=st.dictionaries(KEYS, BODIES, max_size=5),
    request=st.dictionaries(st.sampled_from(["tools", "messages"]), BODIES),
)
def test_no_body_breaks_scoring(response: object, request: object):
    exchange = Exchange(id="x", ts=1.0, arm=Arm.BASELINE, response=response, request=request)
    sample, labels = score_exchange(exchange)
    assert (sample, labels) == score_exchange(exchange)
    json.dumps([sample_to_dict(sample), labels], allow_nan=False)


@given(
    text=st.text(st.characters(), max_size=300),
    expect=st.lists(
        st.fixed_dictionaries({"type": st.sampled_from(sorted(CHECKS)), "value": JSON}, optional={"tolerance": JSON}),
        max_size=3,
    ),
    schema=st.none()
    | st.dictionaries(st.sampled_from(["type", "enum", "pattern", "items", "$ref", "anyOf"]), JSON, max_size=3),
)
def test_no_text_breaks_scoring(text: str, expect: list[dict[str, Any]], schema: dict[str, Any] | None):
    body = {"choices": [{"message": {"content": text}}]}
    exchange = Exchange(id="x", ts=1.0, arm=Arm.BASELINE, response=body, expect=tuple(expect), response_schema=schema)
    score_exchange(exchange)


@given(JSON)
def test_what_json_writes_parses_back(value: object):
    parsed = parse(json.dumps(value))
    assert parsed.ok
    assert holds(parsed.value, value)


@given(JSON, st.text(max_size=5))
def test_more_keys_never_break_a_subset(value: object, extra: str):
    assert holds({**value, extra + "+": 1}, value) if isinstance(value, dict) else holds(value, value)


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=60))
def test_repetition_is_a_share(words: list[str]):
    assert 0.0 <= repetition(" ".join(words)) < 1.0


@given(st.lists(st.text("abc", min_size=1, max_size=2), max_size=60))
def test_no_repetition_exceeds_its_bound(words: list[str]):
    assert repetition(" ".join(words)) <= most_repetition(" ".join(words))


@given(st.from_regex(re.compile(r"[ab(|)*+?\[\]\\^$.{2,}]{1,14}"), fullmatch=True))
def test_every_pattern_ends_soon(pattern: str):
    before = time.process_time()
    search(pattern, "ab" * 12 + "a" * 14 + "!")
    assert time.process_time() - before < 0.5
