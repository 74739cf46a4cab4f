"""`action.yml`: its steps, run as a runner runs them, with a fake GitHub around them."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from gatekeeper.adapters.evalsets import bless
from gatekeeper.cli._lazy import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import CodeHost

ROOT = Path(__file__).parents[3]
ACTION = YAML(typ="safe").load(ROOT / "action.yml")
DEMO = ROOT / "evalsets" / "demo-chat"
DEAD = "http://127.0.0.1:9"
PATIENCE_S = 240
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


class Runner:
    """Run the action's shell steps in order, as far as a runner would."""

    def __init__(self, folder: Path, environment: Mapping[str, str], api: str) -> None:
        """Lay out the files that a runner would."""
        self.folder = folder
        self.event = folder / "event.json"
        self.event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": "abc"}}}))
        self.summary = folder / "summary.md"
        self._environment = {
            **environment,
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_EVENT_PATH": str(self.event),
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_API_URL": api,
        }
        self._github = {"sha": "abc", "token": "t0ken", "workflow": "release", "job": "gate", "action_path": str(ROOT)}
        self.said = ""

    def run(self, **inputs: str) -> tuple[int, dict[str, str]]:
        """Return the job's exit code and the action's outputs."""
        given = {name: str(about.get("default", "")) for name, about in ACTION["inputs"].items()}
        known: dict[str, Any] = {"github": self._github, "inputs": {}, "steps": {}}
        known["inputs"] = {name: _filled(text, known) for name, text in given.items()}
        known["inputs"] |= {name.replace("_", "-"): value for name, value in inputs.items()}
        code = 0
        for step in ACTION["runs"]["steps"]:
            if "run" in step:
                assert "${{" not in step["run"], "what users write must not become part of a script"
                code = self._step(step, known)
            if code:
                break
        return code, {name: _filled(about["value"], known) for name, about in ACTION["outputs"].items()}

    def _step(self, step: Mapping[str, Any], known: dict[str, Any]) -> int:
        output = self.folder / "output"
        output.write_text("")
        own = {name: _filled(value, known) for name, value in step.get("env", {}).items()}
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder, env={**self._environment, "GITHUB_OUTPUT": str(output), **own},
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        self.said += ran.stdout + ran.stderr
        known["steps"][step.get("id", "")] = {"outputs": _outputs(output.read_text())}
        return ran.returncode


def _filled(text: str, known: Mapping[str, Any]) -> str:
    """Fill in expressions: paths into what is known, `||` between them."""
    return EXPRESSION.sub(lambda found: _value(found[1], known), str(text))


def _value(expression: str, known: Mapping[str, Any]) -> str:
    for path in expression.split("||"):
        value: Any = known
        for part in path.strip().split("."):
            value = value.get(part, {}) if isinstance(value, dict) else {}
        if isinstance(value, str) and value:
            return value
    return ""


def _outputs(text: str) -> dict[str, str]:
    """Read a GITHUB_OUTPUT file: NAME=VALUE, or NAME<<FENCE, lines, FENCE."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, mark, rest = line.partition("<<") if "<<" in line.split("=")[0] else line.partition("=")
        value = []
        if mark == "<<":
            for inner in lines:
                if inner == rest:
                    break
                value.append(inner)
        found[name] = "\n".join(value) if mark == "<<" else rest
    return found


@pytest.fixture
def evalset(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "samples.jsonl").write_text("\n".join((DEMO / "samples.jsonl").read_text().splitlines()[::30]))
    (folder / "manifest.yaml").write_text("format: 1\nlicence: Apache-2.0\nsource: a part\n")
    bless(folder)
    return folder


def test_a_job_ends_with_the_gates_code_and_one_comment_that_is_kept_up_to_date(
    tmp_path: Path, real: dict[str, str], host: CodeHost, evalset: Path
):
    runner = Runner(tmp_path, real, host.url)
    inputs = {"policy": str(DEMO / "policy.yaml"), "evalset": str(evalset), "baseline": "sim:baseline"}
    code, outputs = runner.run(**inputs, candidate="sim:good")
    assert (code, outputs["exit-code"], outputs["verdict"]) == (3, "3", "hold"), runner.said
    assert int(outputs["samples-missing"]) > 0
    assert outputs["reason"] in json.loads((tmp_path / outputs["report"]).read_text())["reasons"]
    assert ET.parse(tmp_path / "gatekeeper-report" / "gate.xml").getroot().tag == "testsuites"  # noqa: S314 - our own file
    assert "::warning title=gatekeeper::Hold" in runner.said
    assert runner.summary.read_text().startswith("### gatekeeper: sim:good")
    (comment,) = host.comments[130:]
    assert comment["body"].startswith("<!-- gatekeeper: release/gate -->\n### gatekeeper: sim:good")
    assert host.headers["authorization"] == "Bearer t0ken"

    code, outputs = runner.run(**inputs, candidate=DEAD)
    assert (code, outputs["verdict"]) == (4, "hold")
    (comment,) = host.comments[130:]
    assert "does not answer" in comment["body"]
    assert host.calls[-1] == ("PATCH", f"/repos/o/r/issues/comments/{comment['id']}")


def test_every_input_reaches_the_gate_as_it_was_written(tmp_path: Path, shim: dict[str, str], host: CodeHost):
    hostile = 'https://c.internal/$(touch hacked)`touch hacked`"; touch hacked'
    runner = Runner(tmp_path, shim, host.url)
    code, outputs = runner.run(
        policy="p.yaml", evalset="e", candidate=hostile, baseline="https://b.internal", baseline_release="v1",
        api_key="k", on_inconclusive="fail", arguments="--repeats\n3\n", comment="false",
    )  # fmt: skip
    assert (code, outputs["exit-code"]) == (0, "0")
    args = Path(f"{shim['SHIM_LOG']}.gate").read_text().splitlines()
    context = load("gate").make_context("gate", args[1:])
    told = {name: str(value) for name, value in context.params.items() if value is not None}
    assert told["candidate"] == hostile
    assert (told["baseline_release"], told["candidate_release"]) == ("v1", "abc")
    assert (told["api_key_env"], told["repeats"], told["on_inconclusive"]) == ("GATE_API_KEY", "3", "fail")
    assert not (tmp_path / "hacked").exists()
    published = Path(f"{shim['SHIM_LOG']}.publish").read_text().splitlines()
    assert load("publish").make_context("publish", published[1:]).params["comment"] is False


@pytest.mark.parametrize("code", ["1", "2", "4"])
def test_the_job_ends_as_the_gate_ended(tmp_path: Path, shim: dict[str, str], host: CodeHost, code: str):
    runner = Runner(tmp_path, {**shim, "SHIM_CODE": code}, host.url)
    ended, outputs = runner.run(policy="p.yaml", candidate="sim:good", against="record.jsonl")
    assert (str(ended), outputs["exit-code"]) == (code, code)
