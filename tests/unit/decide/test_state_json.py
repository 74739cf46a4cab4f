"""States as JSON."""

from __future__ import annotations

import json

import numpy as np

from gatekeeper.decide import _state_json


def stored(states: list[dict[str, object]]) -> list[dict[str, object]]:
    return _state_json.from_json(json.loads(json.dumps(_state_json.to_json(states), allow_nan=False)))


def same(found: dict[str, object], state: dict[str, object]) -> None:
    assert list(found) == list(state)
    for name, value in state.items():
        if isinstance(value, dict):
            same(found[name], value)
        elif isinstance(value, np.ndarray):
            assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape)
            assert found[name].tobytes() == value.tobytes()
            assert found[name].flags.writeable
        else:
            assert found[name] == value
            assert type(found[name]) is type(value)


def test_what_is_read_is_what_was_written():
    rng = np.random.default_rng(0)
    state = {
        "fractions": rng.random((2, 3, 5)),
        "counts": np.arange(60.0).reshape(1, 60),
        "at": np.arange(100) * 7,
        "before": np.arange(-900, 900, 9),
        "far": np.array([0, *range(100), 1 << 40]),
        "falling": np.arange(100)[::-1].copy(),
        "many": np.full(90, 70_000.0),
        "below": -np.arange(50.0),
        "signed": np.full(40, -0.0),
        "one_missing": np.where(np.arange(60) == 7, np.nan, 1.0),
        "empty": np.zeros((0, 4)),
        "nothing": np.zeros(0, np.int64),
        "late": np.array([-np.inf, 0.1, np.nan]),
        "yes": np.array([True, False]),
        "log_e": -np.inf,
        "windows": 3,
        "told": None,
        "bins": [[1.0, 0.1], [2.5]],
        "grid": {"deep": np.zeros(1), "deeper": {"at": np.array([5])}},
    }
    same(stored([state])[0], state)


def test_states_of_many_forms_and_sizes_keep_their_places():
    rng = np.random.default_rng(1)
    states = [
        {"at": np.cumsum(rng.integers(1, 9, n)) - 40, "count": rng.poisson(3, n).astype(float), "n": int(n)}
        if i % 3
        else {"counts": rng.random((1 + n, 4)), "log_e": -0.5 * n}
        for i, n in enumerate([4, 0, 7, 7, 0, 300, 1, 2])
    ]
    for found, state in zip(stored(states), states, strict=True):
        same(found, state)


def test_numbers_of_numpy_are_read_as_plain_ones():
    assert stored([{"a": np.int64(3), "b": np.float64(0.5)}]) == [{"a": 3, "b": 0.5}]


def test_what_differs_in_kind_under_one_name_is_kept_one_by_one():
    states = [{"x": np.arange(3)}, {"x": np.arange(3.0)}, {"x": None}, {"x": 2}, {"x": [1.5]}]
    for found, state in zip(stored(states), states, strict=True):
        same(found, state)


def test_of_no_states_nothing_is_written():
    assert stored([]) == []


def test_whole_numbers_take_little_room():
    rng = np.random.default_rng(0)
    states = [{"at": np.arange(n) * 3, "count": rng.poisson(2, n).astype(float)} for n in (3_000, 1_000)]
    assert len(json.dumps(_state_json.to_json(states))) < 4_000 * 16 / 5
