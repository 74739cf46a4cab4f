"""The benchmark of `analyze` runs, and asks what it says it asks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "decision"))

import analyze_speed

import gatekeeper

if TYPE_CHECKING:
    import pytest


def test_the_benchmark_prints_every_measure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    asked = ["analyze_speed.py", "--rows", "2000", "--times", "2", "--runs", "1", "--replicates", "1"]
    monkeypatch.setattr(sys, "argv", asked)
    monkeypatch.setattr(analyze_speed, "PER_ARM", 1000)
    analyze_speed.main()
    shown = capsys.readouterr().out
    for measure in ("orjson alone", "times the floor", "2,000 samples, peak", "4,000 samples, peak", "M samples/s"):
        assert measure in shown
    assert "rollout of 10 looks" in shown


def test_the_report_covers_six_metrics_in_twenty_segments():
    table = pa.concat_tables([analyze_speed._table(chunk, 5000, 20) for chunk in (0, 1)])  # noqa: SLF001 - its data
    report = gatekeeper.analyze(table, analyze_speed.POLICY)
    assert len(report.findings) == 6 * 21
