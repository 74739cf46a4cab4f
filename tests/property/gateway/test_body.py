"""Replacing the model changes that value and not one byte more."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.gateway.body import read_facts, with_model
from gatekeeper.gateway.http import Refusal

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT | st.just('"model": "x"') | st.just({"model": "x"}),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.just("model"), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.dictionaries(TEXT.filter(lambda key: key not in ("model", "user", "stream")), VALUES, max_size=4),
    st.dictionaries(TEXT.filter(lambda key: key not in ("model", "user", "stream")), VALUES, max_size=4),
    st.tuples(
        st.sampled_from(["x", "bot", "a/b-c", 'q"uote', "Zoë"]),
        st.sampled_from(["x", "base", 'back\\slash"', "用户"]),
    ),
    st.sampled_from(["ascii", "utf-8"]),
    st.sampled_from([None, 0, 2]),
)
def test_only_the_top_level_value_changes(
    before: dict[str, Any], after: dict[str, Any], names: tuple[str, str], spelling: str, indent: int | None
):
    old, new = names
    ascii_only = spelling == "ascii"
    plain = {**before, "model": old, **{key: value for key, value in after.items() if key not in before}}
    body = json.dumps(plain, ensure_ascii=ascii_only, indent=indent).encode()
    assert read_facts(body).model == old
    changed = with_model(body, old, new)
    assert json.loads(changed) == {**plain, "model": new}
    spelled_old, spelled_new = (
        json.dumps(old, ensure_ascii=ascii_only).encode(),
        json.dumps(new, ensure_ascii=False).encode(),
    )
    assert len(changed) - len(body) == len(spelled_new) - len(spelled_old)


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes):
    with contextlib.suppress(Refusal):
        read_facts(data)


def test_a_key_spelled_with_escapes_is_refused():
    body = b'{"mod\\u0065l": "bot"}'
    assert read_facts(body).model == "bot"
    assert with_model(body, "bot", "bot") == body
    with pytest.raises(Refusal):
        with_model(body, "bot", "base")


def test_depth_is_no_danger():
    with pytest.raises(Refusal):
        read_facts(b'{"a":' + b"[" * 200_000)
