"""The command line from outside: exit codes, streams, pipes, and what it costs to ask for help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatekeeper.cli._lazy import COMMANDS

Done = subprocess.CompletedProcess[str]
POLICIES = Path(__file__).parents[2] / "golden" / "policies"


def gatekeeper(
    *args: str, cwd: Path | None = None, stdin: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gatekeeper", *args],
        cwd=cwd,
        input=stdin,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def shell(script: str) -> Done:
    """Run bash with `$GK` as the command."""
    environ = {**os.environ, "GK": f"{sys.executable} -m gatekeeper"}
    return subprocess.run(
        ["bash", "-c", script], env=environ, capture_output=True, text=True, timeout=60, check=False, cwd=POLICIES
    )


def test_help_lists_every_command() -> None:
    done = gatekeeper("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in COMMANDS)


def test_help_imports_no_command() -> None:
    """What makes `--help` slow is what it imports; its time is in benchmarks/start/run.py."""
    script = "import sys; from gatekeeper.cli.main import main; main(['--help']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    loaded = done.stdout.splitlines()[-1]
    assert not [
        name for name in ("numpy", "sqlalchemy", "jsonschema", "httpx", "fastapi", "celery") if f"'{name}'" in loaded
    ]


@pytest.mark.parametrize(
    "args", ["", "nope", "--nope", "policy", "policy nope", "schema", "policy validate --format xml x"]
)
def test_usage_errors_exit_2_and_say_so_on_stderr_alone(args: str) -> None:
    done = gatekeeper(*args.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_near_command_is_suggested() -> None:
    assert "Did you mean 'rollout'?" in gatekeeper("rolout").stderr


def test_the_version_is_told() -> None:
    assert gatekeeper("--version").stdout.startswith("gatekeeper ")


def test_completion_is_kept() -> None:
    done = gatekeeper(_GATEKEEPER_COMPLETE="complete_bash", COMP_WORDS="gatekeeper rol", COMP_CWORD="1")
    assert done.stdout.split() == ["rollout"]
    done = gatekeeper(_GATEKEEPER_COMPLETE="complete_bash", COMP_WORDS="gatekeeper policy v", COMP_CWORD="2")
    assert done.stdout.split() == ["validate"]


def test_five_faults_are_five_lines_on_stderr_and_exit_2() -> None:
    done = gatekeeper("policy", "validate", "five_faults.yaml", cwd=POLICIES)
    assert (done.returncode, done.stdout) == (2, "")
    told = [line.removeprefix("error: ") for line in done.stderr.splitlines()]
    assert told == (POLICIES / "five_faults.txt").read_text(encoding="utf-8").splitlines()


def test_validation_as_json_is_for_programs() -> None:
    done = gatekeeper("policy", "validate", "--format", "json", "five_faults.yaml", "support_bot.yaml", cwd=POLICIES)
    bad, good = json.loads(done.stdout)
    assert (done.returncode, bad["valid"], good["valid"]) == (2, False, True)
    assert [(fault["line"], fault["column"]) for fault in bad["faults"]] == [(2, 32), (4, 3), (5, 19), (6, 31), (8, 22)]
    assert good["policy"] == "support-bot"


def test_a_policy_can_come_from_stdin() -> None:
    done = gatekeeper("policy", "validate", "-", stdin="metrics: {error_rate: {limit: 2%}}")
    assert (done.returncode, done.stdout.split(":")[:2]) == (0, ["-", " valid"])


@pytest.mark.parametrize("content", [b"\xff\xfe", b"metrics: {a: \xe9}", b"x" * 2_000_000])
def test_files_that_are_no_text_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(content)
    done = gatekeeper("policy", "validate", str(path))
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {path}")
    assert "Traceback" not in done.stderr


def test_the_starter_policy_is_valid_and_is_not_written_over(tmp_path: Path) -> None:
    assert gatekeeper("policy", "init", "--service", "a: 'b' \"c\"", cwd=tmp_path).stdout == "policy.yaml\n"
    assert gatekeeper("policy", "validate", "policy.yaml", cwd=tmp_path).returncode == 0
    assert json.loads((tmp_path / "policy.schema.json").read_text(encoding="utf-8"))["$schema"].endswith(
        "draft-07/schema#"
    )
    again = gatekeeper("policy", "init", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (2, "error: policy.yaml exists; --force replaces it\n")


def test_schemas_are_printed_and_unknown_ones_refused() -> None:
    assert json.loads(gatekeeper("schema", "report").stdout)["title"] == "a report"
    assert "draft-07" in json.loads(gatekeeper("schema", "policy", "--draft7").stdout)["$schema"]
    assert gatekeeper("schema", "policy").stdout == gatekeeper("policy", "schema").stdout
    done = gatekeeper("schema", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert "known: " in done.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("schema policy", 0),
        ("--help", 0),
        ("policy validate --format json five_faults.yaml", 2),
        ("policy validate " + "support_bot.yaml " * 60, 0),
    ],
)
def test_a_reader_that_goes_away_changes_no_exit_code(command: str, code: int) -> None:
    done = shell(f"set -o pipefail; $GK {command} 2>/dev/null | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}")
    assert done.stdout == f"{code}\n"
    done = shell(f"exec 3>&1; {{ $GK {command} 2>&3; }} | true 3>&1; echo ${{PIPESTATUS[0]}}")
    assert "Broken" not in done.stdout
    assert "Traceback" not in done.stdout


def test_closed_stderr_changes_no_exit_code() -> None:
    done = shell("$GK policy validate five_faults.yaml 2>&1 >/dev/null | true; echo ${PIPESTATUS[0]}")
    assert done.stdout == "2\n"


def test_doctor_names_what_is_broken_and_what_mends_it(tmp_path: Path) -> None:
    done = gatekeeper(
        "doctor",
        "--format",
        "json",
        cwd=tmp_path,
        GATEKEEPER_DATABASE_URL="postgresql://user:hunter2@127.0.0.1:1/nope",
        GATEKEEPER_BROKER_URL="redis://:hunter2@127.0.0.1:1/0",
        GATEKEEPER_API_PORT="0",
        GATEKEEPER_GATEWAY_PORT="0",
        GATEKEEPER_UI_PORT="0",
    )
    assert done.returncode == 4
    assert "hunter2" not in done.stdout + done.stderr
    broken = {remark["name"]: remark["mend"] for remark in json.loads(done.stdout) if remark["health"] == "broken"}
    assert set(broken) == {"database", "broker"}
    assert all(broken.values())


def test_doctor_is_content_with_an_empty_folder(tmp_path: Path) -> None:
    ports = {"GATEKEEPER_API_PORT": "0", "GATEKEEPER_GATEWAY_PORT": "0", "GATEKEEPER_UI_PORT": "0"}
    done = gatekeeper("doctor", cwd=tmp_path, **ports)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_doctor_refuses_a_broken_environment() -> None:
    done = gatekeeper("doctor", GATEKEEPER_API_PORT="http")
    assert (done.returncode, done.stdout) == (2, "")
    assert "GATEKEEPER_API_PORT='http'" in done.stderr
