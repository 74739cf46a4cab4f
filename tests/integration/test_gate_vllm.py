"""`gatekeeper gate` on real vLLM servers that it starts itself, both at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.demo import models

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.vllm, pytest.mark.serial, pytest.mark.timeout(900)]
EVALSET = Path(__file__).parents[2] / "evalsets" / "demo-chat"


@pytest.fixture(scope="module")
def places() -> Mapping[str, Path]:
    return models.ensure(["baseline", "good", "over-refuses"], models.default_cache_dir())


def _gate(baseline: str, candidate: str) -> tuple[int, dict[str, Any], str]:
    ran = subprocess.run(
        [
            sys.executable, "-m", "gatekeeper", "gate", "--format", "json",
            "--policy", str(EVALSET / "policy.yaml"), "--evalset", str(EVALSET),
            "--baseline", baseline, "--candidate", candidate,
        ],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return ran.returncode, json.loads(ran.stdout or "{}"), ran.stderr


def test_an_equally_good_model_passes(places: Mapping[str, Path]):
    code, report, errors = _gate(f"vllm:{places['baseline']}", f"vllm:{places['good']}")
    assert (code, report.get("verdict")) == (0, "promote"), f"{errors}\n{json.dumps(report, indent=1)}"


def test_an_over_refusing_model_fails_for_its_refusals(places: Mapping[str, Path]):
    code, report, errors = _gate(f"vllm:{places['baseline']}", f"vllm:{places['over-refuses']}")
    assert (code, report.get("verdict")) == (1, "rollback"), f"{errors}\n{json.dumps(report, indent=1)}"
    assert "refusal_rate" in report["reasons"][0]


def test_a_dead_endpoint_is_found_before_a_server_is_started(places: Mapping[str, Path]):
    code, report, errors = _gate(f"vllm:{places['baseline']}", "http://127.0.0.1:9")
    assert (code, report) == (4, {})
    assert "does not answer" in errors
    assert "starting" not in errors
