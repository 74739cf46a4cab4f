"""What `gatekeeper gate` remembers: a run that was killed, a baseline that is known, a record from another machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.engines import sim
from gatekeeper.adapters.evalsets import bless
from gatekeeper.cli.main import main
from gatekeeper.demo.sim_answers import flags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gatekeeper.adapters.engines.sim import SimServer

    Servers = Mapping[str, SimServer]

DEMO = Path(__file__).parents[2] / "evalsets" / "demo-chat"
SIZE = 60
TTFT_MS = 40
PATIENCE_S = 120
DEAD = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    logs = tmp_path_factory.mktemp("sims")
    started = {
        name: sim.start(name, served_name="demo", flags={**flags(name), "ttft-ms": TTFT_MS}, log_path=logs / name)
        for name in ("baseline", "good")
    }
    try:
        for server in started.values():
            server.ready()
        yield started
    finally:
        for server in started.values():
            server.stop()


@pytest.fixture(scope="module")
def evalset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evalsets") / "small"
    folder.mkdir()
    lines = (DEMO / "samples.jsonl").read_text().splitlines()
    (folder / "samples.jsonl").write_text("\n".join(lines[:: len(lines) // SIZE][:SIZE]))
    (folder / "manifest.yaml").write_text(
        "format: 1\nlicence: Apache-2.0\nsource: a part\nsampling: {temperature: 0}\n"
    )
    bless(folder)
    return folder


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEKEEPER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data" / "gate"


def _command(evalset: Path, *args: str) -> list[str]:
    policy = str(DEMO / "policy.yaml")
    return [sys.executable, "-m", "gatekeeper", "gate", "--policy", policy, "--evalset", str(evalset), *args]


@dataclass(frozen=True, slots=True)
class Ran:
    """Hold what a command left: its exit code, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def _run(evalset: Path, *args: str) -> Ran:
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as errors:
        code = main(_command(evalset, *args)[3:])
    return Ran(code, out.getvalue(), errors.getvalue())


def _gate(evalset: Path, *args: str) -> Ran:
    return _run(evalset, "--format", "json", "--on-inconclusive", "pass", *args)


def _checks(ran: Ran) -> dict[str, str]:
    assert ran.returncode == 0, ran.stderr
    return {check["name"]: check["reason"] for check in json.loads(ran.stdout)["checks"]}


def _served(servers: Servers) -> int:
    return sum(int(server.metrics()["requests_finished"]) for server in servers.values())


def _lines(data: Path) -> int:
    return sum(len(path.read_bytes().splitlines()) for path in data.glob("*.jsonl"))


def _urls(servers: Servers) -> tuple[str, ...]:
    return "--baseline", servers["baseline"].url, "--candidate", servers["good"].url


def _killed_half_way(servers: Servers, evalset: Path, data: Path, *args: str) -> int:
    """Start a gate, kill it at half its requests; return how many were finished."""
    command = _command(evalset, *_urls(servers), "--concurrency", "2", *args)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE_S
    try:
        while _lines(data) < SIZE:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    while sum(server.metrics()["running"] for server in servers.values()):
        time.sleep(0.05)
    return _lines(data)


def test_a_killed_run_goes_on_and_repeats_no_finished_request(
    servers: Servers, evalset: Path, data: Path, tmp_path: Path
):
    finished = _killed_half_way(servers, evalset, data)
    assert SIZE <= finished < 2 * SIZE
    before = _served(servers)
    record = tmp_path / "record.jsonl"
    ran = _gate(evalset, *_urls(servers), "--record", str(record))
    assert _served(servers) - before == 2 * SIZE - finished
    checks = _checks(ran)
    assert checks["resumed"].startswith(f"{finished} requests had been finished by a run that broke off, ")
    assert f"{SIZE} pairs of {SIZE} samples" in checks["evalset"]
    ids = [json.loads(line)["id"] for line in record.read_text().splitlines()]
    assert len(set(ids)) == len(ids) == 2 * SIZE
    assert not list(data.iterdir()), "a finished run leaves nothing to go on with"


def test_a_killed_run_can_be_forgotten(servers: Servers, evalset: Path, data: Path):
    _killed_half_way(servers, evalset, data)
    before = _served(servers)
    assert "resumed" not in _checks(_gate(evalset, *_urls(servers), "--no-resume"))
    assert _served(servers) - before == 2 * SIZE


def test_a_killed_run_of_another_release_is_not_gone_on_with(servers: Servers, evalset: Path, data: Path):
    _killed_half_way(servers, evalset, data, "--candidate-release", "v1", "--baseline-release", "v0")
    before = _served(servers)
    ran = _gate(evalset, *_urls(servers), "--candidate-release", "v2", "--baseline-release", "v0")
    assert "resumed" in _checks(ran)
    assert SIZE < _served(servers) - before < 2 * SIZE


def test_a_baseline_whose_release_is_known_is_asked_once(servers: Servers, evalset: Path):
    arms = *_urls(servers), "--baseline-release", "v0"
    assert "baseline" not in _checks(_gate(evalset, *arms))
    before = servers["baseline"].metrics()["requests_finished"]
    again = _gate(evalset, *arms)
    assert _checks(again)["baseline"].startswith("answered ")
    assert "(v0); its times are not compared" in _checks(again)["baseline"]
    assert f"baseline: {SIZE} answers from " in again.stderr
    assert servers["baseline"].metrics()["requests_finished"] == before
    for more, words in (
        (("--baseline-cache", "refresh"), "--baseline-cache refresh"),
        (("--baseline-max-age-h", "0"), "--baseline-max-age-h allows 0 s"),
        (("--repeats", "2"), "with other parameters, or fewer times"),
        (("--load", "1", "--load-requests", "1"), "times are compared"),
    ):
        anew = _gate(evalset, *arms, *more)
        assert "baseline" not in _checks(anew)
        assert f"asking the baseline anew: {words}" in anew.stderr or words in anew.stderr


def test_a_baseline_that_only_has_an_address_is_asked_each_time(servers: Servers, evalset: Path, data: Path):
    for _ in range(2):
        assert "baseline" not in _checks(_gate(evalset, *_urls(servers)))
    assert not list(data.iterdir())


def test_a_started_baseline_is_known_by_its_model_and_is_not_started_again(evalset: Path):
    arms = "--baseline", "sim:baseline", "--candidate", "sim:good"
    assert "starting baseline" in _gate(evalset, *arms).stderr
    again = _gate(evalset, *arms)
    assert "starting baseline" not in again.stderr
    assert "sim:baseline sha256:" in _checks(again)["baseline"]


def test_a_machine_that_reaches_one_arm_judges_against_a_record(servers: Servers, evalset: Path, tmp_path: Path):
    record = tmp_path / "baseline.jsonl"
    made = _gate(evalset, "--baseline", servers["baseline"].url, "--record", str(record))
    assert (made.returncode, made.stdout) == (0, "")
    assert f"recorded {SIZE} answers in {record}" in made.stderr
    before = servers["baseline"].metrics()["requests_finished"]
    ran = _gate(evalset, "--candidate", servers["good"].url, "--against", str(record))
    assert f"({record}); its times are not compared" in _checks(ran)["baseline"]
    findings = json.loads(ran.stdout)["findings"]
    assert {finding["paired"] for finding in findings} == {True}
    assert servers["baseline"].metrics()["requests_finished"] == before

    candidate = "--candidate", servers["good"].url
    short = tmp_path / "short.jsonl"
    short.write_text("".join(record.read_text().splitlines(keepends=True)[:20]))
    other = tmp_path / "other.jsonl"
    other.write_text(record.read_text().replace('"evalset":"', '"evalset":"0'))
    for args, words in (
        ((*candidate, "--against", str(short)), "40 of 60 requests have no answer"),
        ((*candidate, "--against", str(other)), "other prompts are not comparable"),
        ((*candidate, "--against", str(record), "--baseline", DEAD), "name the baseline once"),
        ((*candidate, "--against", str(tmp_path / "none")), "not found"),
        (candidate, "name the baseline once"),
        (("--baseline", DEAD), "name the candidate"),
    ):
        refused = _gate(evalset, *args)
        assert refused.returncode == 2
        assert words in refused.stderr


def _says(form: str, text: str) -> tuple[str, str]:
    """Return verdict and what a form says besides."""
    if form == "json":
        report: dict[str, Any] = json.loads(text)
        return report["verdict"], " ".join([*report["reasons"], *(check["reason"] for check in report["checks"])])
    if form == "junit":
        cases = list(ET.fromstring(text).iter("testcase"))  # noqa: S314  # our own text
        (verdict,) = [child for case in cases if case.get("name") == "verdict" for child in case]
        return {"skipped": "hold", "failure": "rollback", "system-out": "promote"}[verdict.tag], text
    line = next(line for line in text.splitlines() if line.lower().strip("*").startswith(("promote", "hold", "roll")))
    return line.strip("*").split("*")[0].split(":")[0].lower(), text


@pytest.mark.parametrize("form", ["text", "json", "markdown", "junit"])
def test_every_form_says_the_same_of_every_ending(servers: Servers, evalset: Path, tmp_path: Path, form: str):
    broken = tmp_path / "broken.yaml"
    broken.write_text("metrics:\n  refusal_rat: {max_increase: 1pp}\n")
    live = _urls(servers)
    for args, code, words in (
        (live, 3, "more samples"),
        ((*live[:2], "--candidate", DEAD), 4, "does not answer"),
        ((*live, "--policy", str(broken)), 2, "refusal"),
    ):
        junit, output = tmp_path / "junit.xml", tmp_path / "report"
        ran = _run(evalset, *args, "--format", form, "--junit", str(junit), "--output", str(output))
        assert ran.returncode == code, ran.stderr
        assert output.read_text() == ran.stdout
        verdict, said = _says(form, ran.stdout)
        assert verdict == "hold"
        assert words in said
        suite = ET.parse(junit).getroot().find("testsuite")  # noqa: S314  # our own file
        assert suite is not None
        assert suite.get("errors") == ("0" if code == 3 else "1")
        assert suite.get("failures") == "0"
