"""`gatekeeper gate` on each shipped evalset with its own policy and simulated engines: only that all of it is asked.

The simulated models know none of these prompts and say so, alike in both arms: nothing is decided about quality here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.engines import sim
from gatekeeper.demo.sim_answers import flags

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[2] / "evalsets"


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    logs = tmp_path_factory.mktemp("sims")
    servers = [
        sim.start(name, served_name="demo", flags=flags(name), log_path=logs / f"{name}.log")
        for name in ("baseline", "good")
    ]
    try:
        for server in servers:
            server.ready()
        yield servers[0].url, servers[1].url
    finally:
        for server in servers:
            server.stop()


@pytest.mark.parametrize("name", ["reasoning", "safety", "support-tickets", "tool-use"])
def test_every_sample_is_asked_of_both_arms_and_judged(urls: tuple[str, str], name: str):
    evalset = FOLDER / name
    ran = subprocess.run(
        [
            sys.executable, "-m", "gatekeeper", "gate", "--policy", str(evalset / "policy.yaml"),
            "--evalset", str(evalset), "--baseline", urls[0], "--candidate", urls[1], "--format", "json",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode in (0, 3), ran.stderr
    report = json.loads(ran.stdout)
    samples = len((evalset / "samples.jsonl").read_text().splitlines())
    asked = next(check["reason"] for check in report["checks"] if check["name"] == "evalset")
    assert asked.endswith(f"{samples} pairs of {samples} samples, 0 requests failed")
    pooled = [finding for finding in report["findings"] if finding["segment"] is None]
    success = next(finding for finding in pooled if finding["metric"] == "task_success")
    assert (success["baseline"]["n"], success["candidate"]["n"]) == (samples, samples)
    assert success["ruling"] == "pass"
