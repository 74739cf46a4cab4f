"""What went wrong becomes words and an exit code, in one place."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from gatekeeper.cli._console import PATIENCE_S, keep_writing, progress
from gatekeeper.cli.main import explain
from gatekeeper.errors import EngineError, Fault, ForbiddenError, NotFoundError, PolicyError


@pytest.mark.parametrize(
    ("problem", "code", "told"),
    [
        (
            PolicyError((Fault("one", line=1, column=2), Fault("two", line=3, column=4))),
            2,
            "error: 1:2: one\nerror: 3:4: two\n",
        ),
        (NotFoundError("no rollout 'r1'"), 2, "error: no rollout 'r1'\n"),
        (ForbiddenError("viewers may not promote"), 2, "error: viewers may not promote\n"),
        (EngineError("vllm did not start"), 4, "error: vllm did not start\n"),
        (EngineError(), 4, "error: EngineError\n"),
        (
            FileNotFoundError(2, "No such file or directory", "x.jsonl"),
            2,
            "error: [Errno 2] No such file or directory: 'x.jsonl'\n",
        ),
        (ConnectionResetError(104, "Connection reset by peer"), 4, "error: [Errno 104] Connection reset by peer\n"),
        (ModuleNotFoundError("No module named 'streamlit'", name="streamlit"), 4, "error: streamlit is not installed"),
        (ZeroDivisionError("division by zero"), 4, "error: ZeroDivisionError: division by zero\nerror: this is a bug"),
    ],
)
def test_each_problem_has_its_words_and_its_code(
    problem: Exception, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(problem) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(told)


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    now = iter([0.0, PATIENCE_S * 2, PATIENCE_S * 3])
    with progress("scoring", 10, clock=lambda: next(now)) as tick:
        tick(5)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_stream_without_a_file_is_left_as_it_is() -> None:
    stream = io.StringIO()
    assert keep_writing(stream) is stream


def test_progress_is_drawn_for_a_person_who_waits() -> None:
    script = (
        "from gatekeeper.cli._console import progress\n"
        "now = iter([0.0, 1.0, 3.0])\n"
        "with progress('scoring', 10, clock=lambda: next(now)) as tick:\n"
        "    tick(1)\n"
        "    print('early', flush=True)\n"
        "    tick(5)\n"
    )
    ours, theirs = os.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-c", script], stderr=theirs, stdout=subprocess.PIPE, env=environ, timeout=60, check=True
    )
    os.close(theirs)
    drawn = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.stdout == b"early\n"
    assert "scoring" in drawn
    assert "50%" in drawn
