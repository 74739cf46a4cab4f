"""States as JSON."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np

from gatekeeper.decide import _state_json


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
            assert found[name].tobytes() == value.tobytes()
            assert found[name].flags.writeable
    assert (found["log_e"], found["windows"], found["told"]) == (-np.inf, 3, None)
    assert found["bins"][0] == [1.0, 0.1]
    assert found["bins"][1][1]["deep"].tolist() == [0.0]


def test_whole_numbers_take_little_room():
    counts = np.random.default_rng(0).poisson(2, 4_000).astype(float)
    assert len(json.dumps(_state_json.to_json(counts))) < counts.nbytes / 5


def test_what_was_written_with_each_arrays_own_bytes_is_read():
    content = np.arange(3.0).tobytes()
    old = {
        "a": {"__array__": "<f8", "shape": [3], "bytes": base64.b64encode(content).decode()},
        "b": {"__array__": "<f8", "shape": [3, 1], "zlib": base64.b64encode(zlib.compress(content)).decode()},
        "c": [1, None],
    }
    found = _state_json.from_json(old)
    assert (found["a"].tolist(), found["b"].tolist(), found["c"]) == ([0, 1, 2], [[0], [1], [2]], [1, None])
