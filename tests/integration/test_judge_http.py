"""`gatekeeper judge` against real HTTP servers: a simulated engine, and one that refuses, limits and fails."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.engines import sim
from gatekeeper.adapters.graders import openai

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ASKED = [
    {"role": "system", "content": "You judge."},
    {"role": "user", "content": "[x begin answer]\ngood\n[x end answer]"},
]
SCHEMA = {"type": "object"}
TOO_LONG_S = 280


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    logs = tmp_path_factory.mktemp("judges")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HERE), before)))
    flags = {"answers": "judge_answers:answers", "ttft-ms": 1, "tpot-ms": 0.1}
    try:
        servers = {
            name: sim.start(name, served_name="judge", flags=flags, log_path=logs / f"{name}.log")
            for name in ("plain", "wordy", "first")
        }
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    try:
        for server in servers.values():
            server.ready()
        yield {name: server.url for name, server in servers.items()}
    finally:
        for server in servers.values():
            server.stop()


def _judge(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gatekeeper", "judge", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=TOO_LONG_S, check=False, cwd=cwd)


def _lines(path: Path, lines: list[dict[str, Any]]) -> str:
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return str(path)


def _exchanges(path: Path) -> str:
    lines = []
    for number in range(6):
        for arm, text in (("baseline", "good"), ("candidate", "good good" if number % 2 else "bad")):
            body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
            line = {"id": f"{arm}{number}", "ts": number, "arm": arm, "pair_id": f"p{number}", "response": body}
            lines.append({**line, "request": {"messages": [{"role": "user", "content": f"question {number}"}]}})
    return _lines(path, lines)


@pytest.mark.parametrize("name", ["plain", "wordy"])
def test_grades_and_wins_come_from_a_server(judges: dict[str, str], name: str, tmp_path: Path):
    exchanges = _exchanges(tmp_path / "exchanges.jsonl")
    graded = _judge("grade", exchanges, "--endpoint", judges[name], cwd=tmp_path)
    assert graded.returncode == 0, graded.stderr
    samples = [json.loads(line) for line in graded.stdout.splitlines()]
    assert [sample["extra"]["judge_score"] for sample in samples[:4]] == [0.25, 0.0, 0.25, 0.5]
    compared = _judge("compare", exchanges, "--endpoint", f"{judges[name]}/v1", "-o", "wins.jsonl", cwd=tmp_path)
    assert compared.returncode == 0, compared.stderr
    wins = [json.loads(line)["extra"]["judge_win"] for line in (tmp_path / "wins.jsonl").read_text().splitlines()]
    assert wins == [1.0, 0.0, 0.0, 1.0] * 3
    again = _judge("compare", exchanges, "--endpoint", judges[name], "-o", "wins.jsonl", cwd=tmp_path)
    assert "12 questions: 12 known from before, 0 requests" in again.stderr


def test_a_budget_is_told(judges: dict[str, str], tmp_path: Path):
    exchanges = _exchanges(tmp_path / "exchanges.jsonl")
    ran = _judge("grade", exchanges, "--endpoint", judges["plain"], "--max-requests", "2", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "the budget is spent: " in ran.stderr
    assert " 2 requests" in ran.stderr


def test_calibration_tells_agreement_and_what_sways_the_judge(judges: dict[str, str], tmp_path: Path):
    pairs = [
        {"prompt": f"q{number}", "first": "good", "second": "bad" * 9, "human": "first" if number < 36 else "second"}
        for number in range(40)
    ]
    path = _lines(tmp_path / "pairs.jsonl", pairs)
    ran = _judge("calibrate", path, "--endpoint", judges["plain"], "--format", "json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["accuracy"]["value"], found["position"]["value"]) == (0.9, 0.0)
    assert found["length"]["value"] == -0.1


def test_calibration_finds_a_judge_that_takes_the_first(judges: dict[str, str], tmp_path: Path):
    pairs = [{"prompt": f"q{number}", "first": "good", "second": "bad", "human": "first"} for number in range(20)]
    path = _lines(tmp_path / "pairs.jsonl", pairs)
    text = _judge("calibrate", path, "--endpoint", judges["first"], cwd=tmp_path)
    assert re.search(r"position: changes its mind with the order +100\.0 %", text.stdout), text.stdout + text.stderr
    assert re.search(r"of these, takes what stands first +100\.0 %", text.stdout)
    assert "20 are few" in text.stdout


def test_calibration_takes_single_answers_too(judges: dict[str, str], tmp_path: Path):
    graded = [{"prompt": f"q{n}", "answer": "good " * (n % 5), "human": n % 5 >= 3} for n in range(40)]
    one = _judge("calibrate", _lines(tmp_path / "answers.jsonl", graded), "--endpoint", judges["wordy"], cwd=tmp_path)
    assert "40 answers labelled by people, 40 judged" in one.stdout, one.stderr
    assert "says as people do" in one.stdout


def test_bad_input_is_told_before_anything_is_asked(judges: dict[str, str], tmp_path: Path):
    bad = [{"prompt": "q", "first": "a", "second": "b", "human": "left"}, {"prompt": "q", "answer": "a", "human": True}]
    path = _lines(tmp_path / "bad.jsonl", bad)
    ran = _judge("calibrate", path, "--endpoint", judges["plain"], cwd=tmp_path)
    assert ran.returncode == 2
    assert f"{path}:1: human is 'left'; expected first, second, tie" in ran.stderr


def test_a_scale_must_be_one_and_a_server_there(judges: dict[str, str], tmp_path: Path):
    path = _lines(tmp_path / "one.jsonl", [{"prompt": "q", "answer": "a", "human": True}] * 2)
    (tmp_path / "rubric.yaml").write_text("criteria: be kind\nlow: 5\nhigh: 1\n")
    ran = _judge("calibrate", path, "--endpoint", judges["plain"], "--rubric", "rubric.yaml", cwd=tmp_path)
    assert (ran.returncode, "expected low < passes <= high" in ran.stderr) == (2, True)
    ran = _judge("grade", _exchanges(tmp_path / "x.jsonl"), "--endpoint", "http://127.0.0.1:9", cwd=tmp_path)
    assert (ran.returncode, "the judge at http://127.0.0.1:9 does not answer" in ran.stderr) == (4, True)


class _Moody(BaseHTTPRequestHandler):
    """Refuse structured output, limit, fail, and then answer; `bodies` are what was asked."""

    bodies: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.bodies.append(body)
        number = len(self.bodies)
        if "response_format" in body:
            self._whole(400, {"error": {"message": "response_format of type json_schema is not supported"}})
        elif "max_tokens" in body:
            self._whole(400, {"error": {"message": "Unsupported parameter: use max_completion_tokens, not max_tokens"}})
        elif number < 5:
            self._whole(429 if number == 3 else 500, {"error": {"message": "busy"}})
        else:
            self._stream('{"reason": "good", "score": 5}')

    def _whole(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, text: str) -> None:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 30, "completion_tokens": 10}
        events = [{"choices": [choice]}, {"choices": [], "usage": usage}]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for event in events:
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_what_an_endpoint_refuses_is_left_out_and_failures_are_tried_again():
    handler = type("Moody", (_Moody,), {"bodies": []})
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def ask(url: str) -> Any:  # noqa: ANN401 - what was said
        engine = openai.HttpEngine(url, name="the judge", model="m")
        grader = openai.OpenAIGrader(engine, sleep=sleep, jitter=lambda: 0.5)
        said = await grader.ask(ASKED, SCHEMA)
        await engine.__aexit__()
        return said

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        said = asyncio.run(ask(f"http://127.0.0.1:{server.server_port}"))
        server.shutdown()
        thread.join()
    assert said.text == '{"reason": "good", "score": 5}'
    assert (said.requests, said.prompt_tokens, said.completion_tokens) == (5, 30, 10)
    assert pauses == [0.5, 1.0]
    assert "response_format" not in handler.bodies[-1]
    assert handler.bodies[-1]["max_completion_tokens"] == openai.REPLY_TOKENS
