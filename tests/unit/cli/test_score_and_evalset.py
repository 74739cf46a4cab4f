"""`gatekeeper score` and `gatekeeper evalset` as a shell runs them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

ANSWER = {"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}
GOOD = json.dumps({"id": "1", "ts": 1.5, "arm": "baseline", "response": ANSWER}).encode() + b"\n"
EVALSET = Path(__file__).parents[3] / "evalsets" / "demo-chat"


def _gatekeeper(*args: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "gatekeeper", *args], input=given, capture_output=True, check=False)


def test_plain_zipped_and_piped_give_the_same(tmp_path: Path):
    plain, zipped, out = tmp_path / "x.jsonl", tmp_path / "x.jsonl.gz", tmp_path / "out.jsonl"
    plain.write_bytes(GOOD * 3)
    zipped.write_bytes(gzip.compress(GOOD * 3))
    ran = [
        _gatekeeper("score", str(plain)),
        _gatekeeper("score", str(zipped)),
        _gatekeeper("score", "-", given=GOOD * 3),
    ]
    assert [one.returncode for one in ran] == [0, 0, 0]
    assert len({one.stdout for one in ran}) == 1
    assert _gatekeeper("score", str(plain), "-o", str(out)).stdout == b""
    assert out.read_bytes() == ran[0].stdout
    assert json.loads(ran[0].stdout.splitlines()[0])["labels"]["refusal"]["label"] == "none"


def test_bad_lines_exit_2_and_lose_nothing(tmp_path: Path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(GOOD + b"nonsense\n" + GOOD)
    ran = _gatekeeper("score", str(path))
    assert ran.returncode == 2
    assert len(ran.stdout.splitlines()) == 2
    assert f"{path}:2: found a line that is not JSON".encode() in ran.stderr


def test_very_many_bad_lines_are_counted(tmp_path: Path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"nonsense\n" * 100)
    ran = _gatekeeper("score", str(path))
    assert ran.returncode == 2
    assert b"and 80 more bad lines" in ran.stderr


def test_a_missing_file_exits_2(tmp_path: Path):
    ran = _gatekeeper("score", str(tmp_path / "none.jsonl"))
    assert (ran.returncode, ran.stdout) == (2, b"")


def test_the_shipped_evalset_checks():
    ran = _gatekeeper("evalset", "check", str(EVALSET))
    assert ran.returncode == 0
    assert ran.stdout.startswith(b"demo-chat: 595 samples, sha256:")


def test_a_change_must_be_blessed(tmp_path: Path):
    for name in ("manifest.yaml", "samples.jsonl"):
        (tmp_path / name).write_text((EVALSET / name).read_text().replace("Oslo", "Bergen"))
    assert _gatekeeper("evalset", "check", str(tmp_path)).returncode == 2
    assert _gatekeeper("evalset", "bless", str(tmp_path)).returncode == 0
    assert _gatekeeper("evalset", "check", str(tmp_path)).returncode == 0


def test_an_import_lists_what_has_no_match_and_waits_for_a_blessing(tmp_path: Path):
    source, folder = tmp_path / "data.jsonl", tmp_path / "mine"
    source.write_text('{"input": "2 + 2?", "target": "4"}\n{"input": "Hm?", "target": "?", "sandbox": "docker"}\n')
    asked = ("evalset", "import", str(source), str(folder), "--from", "inspect_ai", "--licence", "MIT")
    assert _gatekeeper(*asked, "--strict", "--scorer", "includes").returncode == 2
    ran = _gatekeeper(*asked, "--scorer", "match", "--option", "numeric=true")
    assert ran.returncode == 0
    told = ran.stdout.decode().splitlines()
    assert told[0] == f"{folder}: 2 samples, 1 expectations, 1 samples without any check"
    assert told[1] == "not mapped: 2"
    assert told[-1] == f"next: read the samples, then run `gatekeeper evalset bless {folder}`"
    assert _gatekeeper("evalset", "check", str(folder)).returncode == 2
    blessed = _gatekeeper("evalset", "bless", str(folder))
    assert blessed.returncode == 0
    assert b"no review is noted" in blessed.stderr
    assert _gatekeeper("evalset", "check", str(folder)).returncode == 0


def test_the_import_page_shows_what_an_import_says(tmp_path: Path):
    page = (EVALSET.parents[1] / "docs" / "how-to" / "import-evalsets.md").read_text()
    config = page.partition("```yaml\n")[2].partition("```")[0]
    command, _, shown = page.partition("```console\n$ gatekeeper ")[2].partition("```")[0].partition("\n")
    (tmp_path / "promptfooconfig.yaml").write_text(config)
    asked = [sys.executable, "-m", "gatekeeper", *command.split()]
    ran = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, shown)
