"""`gatekeeper analyze`: exit codes, forms, and bad input."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from gatekeeper.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

POLICY = "metrics:\n  refusal_rate: {max_increase: 5pp}\n"


def files(folder: Path, n: int, refused: int) -> list[str]:
    """Write a policy, and n samples an arm of which the candidate refuses `refused` in ten."""
    (folder / "p.yaml").write_text(POLICY)
    rows = [
        {"ts": i, "request_id": str(i), "arm": arm, "refused": arm == "candidate" and i % 10 < refused}
        for i in range(n)
        for arm in ("baseline", "candidate")
    ]
    (folder / "s.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return ["analyze", "--policy", str(folder / "p.yaml"), str(folder / "s.jsonl")]


@pytest.mark.parametrize(("n", "refused", "code"), [(400, 0, 0), (400, 3, 1), (20, 0, 3)])
def test_the_exit_code_is_the_verdict(tmp_path: Path, n: int, refused: int, code: int):
    assert main(files(tmp_path, n, refused)) == code


def test_an_inconclusive_verdict_can_be_mapped(tmp_path: Path):
    args = files(tmp_path, 20, 0)
    assert main([*args, "--on-inconclusive", "pass"]) == 0
    assert main([*args, "--on-inconclusive", "fail"]) == 1


@pytest.mark.parametrize("form", ["text", "json", "markdown", "junit"])
def test_every_form_goes_to_stdout_and_nothing_else_does(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str):
    assert main([*files(tmp_path, 400, 3), "--look-every", "40", "--format", form, "-o", str(tmp_path / "out")]) == 1
    out, err = capsys.readouterr()
    assert "refusal_rate" in out
    assert err == ""
    assert (tmp_path / "out").read_text() == out
    if form == "json":
        assert json.loads(out)["verdict"] == "rollback"


def test_bad_input_exits_2_and_names_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    args = files(tmp_path, 5, 0)
    (tmp_path / "s.jsonl").write_text('{"arm": "baseline"}\n{"arm": "third"}\n')
    assert main(args) == 2
    assert "s.jsonl:2: arm is 'third'" in capsys.readouterr().err
    (tmp_path / "p.yaml").write_text("metrics: {refusal_rte: {max_increase: 1pp}}\n")
    assert main(args) == 2
    assert "p.yaml:1:" in capsys.readouterr().err


def test_stdin_is_a_dash(tmp_path: Path):
    args = files(tmp_path, 400, 3)
    kept = sys.stdin
    try:
        sys.stdin = io.TextIOWrapper(io.BytesIO((tmp_path / "s.jsonl").read_bytes()))
        assert main([*args[:-1], "-"]) == 1
    finally:
        sys.stdin = kept
