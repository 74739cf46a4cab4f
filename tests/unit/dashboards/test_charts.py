"""The pictures: what is in them, and that Vega can draw them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def charts() -> ModuleType:
    """Give the module, once the pages' folder is on the path."""
    return importlib.import_module("charts")


def finding(metric: str, ruling: str, estimate: float | None) -> dict[str, Any]:
    ends = (None, None) if estimate is None else (estimate - 0.01, estimate + 0.01)
    effect = {"estimate": estimate, "lower": ends[0], "upper": ends[1], "unit": "pp"}
    return {
        "metric": metric,
        "segment": None,
        "ruling": ruling,
        "test": "minprod",
        "margin": 0.02,
        "reason": f"{metric} told",
        "increase": True,
        "effect": effect,
    }


FINDINGS = [
    finding("refusal_rate", "fail", 0.5),
    finding("ttft_ms.p95", "pass", 0.0),
    finding("task_success", "inconclusive", None),
]


def test_the_forest_holds_every_metric_worst_first(charts: ModuleType):
    spec = charts.forest(FINDINGS).to_dict()
    drawn = [layer for layer in spec["layer"] if "color" in layer["encoding"]]
    assert len(drawn) == 3
    for layer in drawn:
        assert layer["encoding"]["y"]["scale"]["domain"] == ["refusal_rate", "task_success", "ttft_ms.p95"]
        assert layer["encoding"]["color"]["scale"]["domain"] == list(charts.COLOURS)
        values = layer["data"]["values"] if "data" in layer else spec["data"]["values"]
        assert [row["shape"] for row in values] == ["triangle-right", "circle", "circle"]
    assert {layer["mark"]["type"] for layer in drawn} == {"rule", "point", "text"}
    words = [layer["data"]["values"][0].get("text") for layer in spec["layer"] if "data" in layer]
    assert "margin" in words


def test_every_ruling_has_a_colour(charts: ModuleType):
    margins = importlib.import_module("margins")
    assert set(charts.COLOURS) == set(margins.WORST_FIRST)


def test_one_metric_over_time_leaves_out_looks_without_data(charts: ModuleType):
    looks = [
        {"look": number, "report": {"findings": [finding("refusal_rate", "inconclusive", estimate)]}}
        for number, estimate in ((3, 0.01), (2, 0.02), (1, None))
    ]
    spec = charts.over_time(looks, "refusal_rate").to_dict()
    values = next(iter(spec["datasets"].values())) if "datasets" in spec else spec["layer"][0]["data"]["values"]
    assert [(row["look"], row["estimate"]) for row in values] == [(3, 0.5), (2, 1.0)]
