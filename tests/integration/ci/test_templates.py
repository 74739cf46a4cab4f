"""The templates for GitLab, Jenkins and Argo Workflows: they parse, and their scripts run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from gatekeeper.cli._lazy import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CI = Path(__file__).parents[3] / "deploy" / "ci"
CODES = ["0", "1", "2", "3", "4"]
ARMS = {"baseline": "https://b.internal/v1", "candidate": "https://c.internal/v1"}


def _run(shell: Sequence[str], script: str, folder: Path, environment: Mapping[str, str]) -> int:
    ran = subprocess.run(
        [*shell, script], cwd=folder, env=dict(environment), capture_output=True, timeout=60, check=False
    )
    return ran.returncode


def _asked(environment: Mapping[str, str], command: str = "gate") -> dict[str, Any]:
    """Return what the command was asked, read as it reads it."""
    args = Path(f"{environment['SHIM_LOG']}.{command}").read_text().splitlines()
    return {name: str(value) for name, value in load(command).make_context(command, args[1:]).params.items()}


@pytest.mark.parametrize("code", CODES)
def test_the_gitlab_job_ends_as_the_gate_ended(tmp_path: Path, shim: dict[str, str], code: str):
    job = YAML(typ="safe").load(CI / "gitlab.yml")[".gatekeeper-gate"]
    environment = {
        **shim, **job["variables"], "SHIM_CODE": code, "GATEKEEPER_POLICY": "p.yaml", "GATEKEEPER_EVALSET": "e",
        "GATEKEEPER_BASELINE": ARMS["baseline"], "GATEKEEPER_CANDIDATE": ARMS["candidate"],
        "GATEKEEPER_ARGUMENTS": "--repeats 3", "CI_JOB_NAME": "my gate",
    }  # fmt: skip
    assert str(_run(["bash", "-eo", "pipefail", "-c"], "\n".join(job["script"]), tmp_path, environment)) == code
    asked = _asked(shim)
    assert {name: asked[name] for name in ARMS} == ARMS
    assert (asked["repeats"], asked["junit"]) == ("3", job["artifacts"]["reports"]["junit"])
    assert asked["output"] in job["artifacts"]["paths"]
    assert (_asked(shim, "publish")["to"], _asked(shim, "publish")["key"]) == ("gitlab", "my gate")
    assert job["allow_failure"]["exit_codes"] == [3]


@pytest.mark.parametrize("code", CODES)
def test_the_jenkins_step_ends_as_the_gate_ended(tmp_path: Path, shim: dict[str, str], code: str):
    text = (CI / "Jenkinsfile").read_text()
    (script,) = re.findall(r"script: '''(.*?)'''", text, re.DOTALL)
    given = {"POLICY": "p.yaml", "EVALSET": "e", "BASELINE": ARMS["baseline"], "CANDIDATE": ARMS["candidate"]}
    assert set(re.findall(r"name: '(\w+)'", text)) == set(given)
    assert str(_run(["sh", "-xec"], script, tmp_path, {**shim, **given, "SHIM_CODE": code})) == code
    asked = _asked(shim)
    assert {name: asked[name] for name in ARMS} == ARMS
    assert f"testResults: '{asked['junit']}'" in text
    assert f"artifacts: '{asked['output']}'" in text
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("code", CODES)
def test_the_argo_step_hands_on_code_and_verdict(tmp_path: Path, shim: dict[str, str], code: str):
    spec = YAML(typ="safe").load(CI / "argo-workflow.yaml")["spec"]
    (template,) = spec["templates"]
    container = template["container"]
    given = {"policy": "p.yaml", "evalset": "e", **ARMS}
    assert {each["name"] for each in spec["arguments"]["parameters"]} == set(given)
    filled = {each["name"]: _filled(each["value"], given) for each in container["env"]}
    (script,) = container["args"]
    environment = {**shim, **filled, "FOLDER": str(tmp_path / "gate"), "SHIM_CODE": code}
    (tmp_path / "gate").mkdir()
    assert str(_run(container["command"], script, tmp_path, environment)) == code
    asked = _asked(shim)
    assert {name: asked[name] for name in ARMS} == ARMS
    handed = {each["name"]: Path(each["valueFrom"]["path"]).name for each in template["outputs"]["parameters"]}
    outputs = {name: (tmp_path / "gate" / file).read_text().strip() for name, file in handed.items()}
    verdict = {"0": "promote", "1": "rollback"}.get(code, "hold")
    assert outputs == {"exit-code": code, "verdict": verdict}
    files = {Path(each["path"]).name for each in template["outputs"]["artifacts"]}
    assert files == {Path(asked["output"]).name, Path(asked["junit"]).name}


def _filled(text: str, given: Mapping[str, str]) -> str:
    return re.sub(r"\{\{inputs\.parameters\.(\w+)\}\}", lambda found: given[found[1]], text)
