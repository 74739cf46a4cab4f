"""`gatekeeper db` prepares, tells and compares; its failures name the database and the fix."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def run(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "GATEKEEPER_DATABASE_URL": url}
    command = [sys.executable, "-m", "gatekeeper", "db", *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_an_empty_database_is_told_prepared_and_checked(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/g.db"
    assert run(url, "current").stdout == "none\n"
    missing = run(url, "check")
    assert missing.returncode == 4
    assert "run `gatekeeper db upgrade`" in missing.stderr
    assert "empty -> " in run(url, "upgrade").stdout
    checked = run(url, "check")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_database_that_is_away_is_named(tmp_path: Path):
    away = run(f"sqlite:///{tmp_path}/none/g.db", "upgrade")
    assert away.returncode == 4
    assert f"{tmp_path}/none" in away.stderr
