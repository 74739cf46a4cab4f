"""The pytest plugin as a project uses it: its own tests, in a pytest of its own."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.evalsets import bless

if TYPE_CHECKING:
    from collections.abc import Mapping

DEMO = Path(__file__).parents[2] / "evalsets" / "demo-chat"
PATIENCE_S = 240
TESTS = """
import json
from pathlib import Path

def rows(name):
    return [json.loads(line) for line in Path(name).read_text().splitlines()]

def test_equal(gatekeeper):
    gatekeeper.check(gatekeeper.analyze(rows("equal.jsonl")))

def test_worse(gatekeeper):
    gatekeeper.check(gatekeeper.analyze(rows("worse.jsonl")))

def test_few(gatekeeper):
    gatekeeper.check(gatekeeper.analyze(rows("equal.jsonl")[:40]))
"""
GATES = """
def test_release(gatekeeper, gatekeeper_report):
    gatekeeper.check(gatekeeper_report)
"""
POLICY = "metrics:\n  refusal_rate: {max_increase: 2pp}\n"


def _pytest(folder: Path, test: str, *args: str) -> tuple[int, Mapping[str, tuple[str, str]]]:
    """Run a project's tests; return the exit code, and each test's outcome with its words."""
    (folder / "test_release.py").write_text(test)
    environment = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "GATEKEEPER_DATA_DIR": str(folder / "data"),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", str(folder), "-p"]
    command += ["gatekeeper.pytest_plugin", "-p", "no:cacheprovider", "--junit-xml", str(folder / "junit.xml"), *args]
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    if not (folder / "junit.xml").exists():
        return ran.returncode, {"": ("usage", ran.stdout + ran.stderr)}
    cases = ET.parse(folder / "junit.xml").getroot().iter("testcase")  # noqa: S314  # our own file
    return ran.returncode, {case.get("name", ""): _outcome(case) for case in cases}


def _outcome(case: ET.Element) -> tuple[str, str]:
    found = next(iter(case), None)
    return ("passed", "") if found is None else (found.tag, f"{found.get('message')} {found.text}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    rng = random.Random(5)  # noqa: S311 - reproducible, not secret
    for name, rate in (("equal", 0.0), ("worse", 0.3)):
        lines = [
            json.dumps({"ts": n, "arm": arm, "pair_id": str(n), "refused": arm == "candidate" and rng.random() < rate})
            for n in range(600)
            for arm in ("baseline", "candidate")
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    return tmp_path


def test_a_regression_fails_and_too_few_samples_are_skipped(project: Path):
    code, outcomes = _pytest(project, TESTS, "--gatekeeper-policy", "policy.yaml")
    assert code == 1
    assert {name: outcome for name, (outcome, _) in outcomes.items()} == {
        "test_equal": "passed", "test_worse": "failure", "test_few": "skipped",
    }  # fmt: skip
    assert "Rollback: refusal_rate" in outcomes["test_worse"][1]
    assert "Hold: " in outcomes["test_few"][1]


@pytest.mark.parametrize(("choice", "outcome"), [("pass", "passed"), ("fail", "failure")])
def test_what_inconclusive_means_can_be_said(project: Path, choice: str, outcome: str):
    args = "--gatekeeper-policy", "policy.yaml", "--gatekeeper-on-inconclusive", choice
    assert _pytest(project, TESTS, *args)[1]["test_few"][0] == outcome


def test_without_a_policy_the_option_is_named(project: Path):
    assert "--gatekeeper-policy" in _pytest(project, TESTS)[1]["test_equal"][1]


def test_a_gate_runs_once_and_an_outage_is_an_error_not_a_failure(project: Path):
    evalset = project / "small"
    evalset.mkdir()
    lines = (DEMO / "samples.jsonl").read_text().splitlines()
    (evalset / "samples.jsonl").write_text("\n".join(lines[::30]))
    (evalset / "manifest.yaml").write_text("format: 1\nlicence: Apache-2.0\nsource: a part\n")
    bless(evalset)
    args = "--gatekeeper-policy", "policy.yaml", "--gatekeeper-evalset", str(evalset), "--gatekeeper-baseline"
    _, outcomes = _pytest(project, GATES, *args, "sim:baseline", "--gatekeeper-candidate", "sim:good")
    assert outcomes["test_release"][0] == "skipped", outcomes
    dead = "http://127.0.0.1:9"
    code, outcomes = _pytest(project, GATES, *args, dead, "--gatekeeper-candidate", dead)
    assert (code, outcomes["test_release"][0]) == (1, "error")
    assert "does not answer" in outcomes["test_release"][1]
