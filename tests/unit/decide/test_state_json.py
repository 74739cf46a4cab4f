"""States as JSON."""

from __future__ import annotations

import json

import numpy as np

from gatekeeper.decide import _state_json


def test_what_is_read_is_what_was_written():
    rng = np.random.default_rng(0)
    state = {
        "fractions": rng.random((2, 3, 5)),
        "counts": np.arange(60.0).reshape(1, 60),
        "at": np.arange(100) * 7,
        "empty": np.zeros((0, 4)),
        "late": np.array([-np.inf, 0.1, np.nan]),
        "yes": np.array([True, False]),
        "log_e": -np.inf,
        "windows": np.int64(3),
        "told": None,
        "bins": [[1.0, 0.1], [np.float64(2.5), {"deep": np.zeros(1)}]],
    }
    text = json.dumps(_state_json.to_json(state), allow_nan=False)
    found = _state_json.from_json(json.loads(text))
    for name, value in state.items():
        if isinstance(value, np.ndarray):
            assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape)
            np.testing.assert_array_equal(found[name], value)
            assert found[name].flags.writeable
    assert (found["log_e"], found["windows"], found["told"]) == (-np.inf, 3, None)
    assert found["bins"][0] == [1.0, 0.1]
    assert found["bins"][1][1]["deep"].tolist() == [0.0]


def test_whole_numbers_take_little_room():
    counts = np.random.default_rng(0).poisson(2, 4_000).astype(float)
    assert len(json.dumps(_state_json.to_json(counts))) < counts.nbytes / 5
