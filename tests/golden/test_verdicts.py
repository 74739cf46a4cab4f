"""Samples in, verdict out: a change of any ruling, bound or word shows here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gatekeeper import analyze
from gatekeeper.model.wire import to_dict

HERE = Path(__file__).parent / "verdicts"
POLICY = {
    "policy": "golden",
    "segments": ["workload"],
    "metrics": {
        "refusal_rate": {"max_increase": "3pp", "critical": True},
        "task_success": {"max_decrease": "5pp"},
        "ttft_ms.p95": {"max_increase": "25%", "limit": 2000},
        "cost_usd": {"max_increase": "10%"},
        "tpot_ms": {"watch": True},
    },
}


def traffic(n: int, *, harm: int, paired: bool) -> list[dict[str, Any]]:
    """Return samples without a random generator: shares by counting, times by a fixed stride."""
    return [
        {
            "ts": 1_700_000_000 + i,
            "request_id": f"r{i}",
            "arm": arm,
            **({"pair_id": f"p{i}"} if paired else {}),
            "segment": {"workload": "batch" if i % 3 == 0 else "chat"},
            "refused": (i * 7) % 100 < 2 + (harm if arm == "candidate" else 0),
            "task_success": (i * 11 + (arm == "candidate")) % 100 >= 8,
            "ttft_ms": 80.0 + (i * 37 + (13 if arm == "candidate" else 0)) % 101,
            "tpot_ms": 20.0 + i % 7,
            "cost_usd": 0.001 * (1 + (i * 17) % 10),
            "error": None,
        }
        for i in range(n)
        for arm in ("baseline", "candidate")
    ]


def rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Keep six digits that count, so that another machine's last bits do not matter."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("promoted", traffic(1_500, harm=0, paired=False)),
        ("rolled_back", traffic(1_500, harm=12, paired=False)),
        ("rolled_back_pairs", traffic(1_500, harm=12, paired=True)),
        ("held", traffic(60, harm=0, paired=False)),
    ],
)
def test_a_verdict_stays_as_it_was(name: str, samples: list[dict[str, Any]]):
    report = rounded(to_dict(analyze(samples, POLICY, look_every=100)))
    assert json.loads((HERE / f"{name}.json").read_text()) == report
