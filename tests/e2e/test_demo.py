"""The demo's whole story, on simulated engines: every release ends as it must, and every screen says they are."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.demo.screen import SIMULATED
from gatekeeper.flow.keys import first_key

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.serial, pytest.mark.timeout(400)]


def test_every_release_ends_as_it_must(tmp_path: Path) -> None:
    picture = tmp_path / "demo.svg"
    command = [sys.executable, "-m", "gatekeeper", "demo", "--engine", "sim", "--no-ui"]
    done = subprocess.run(
        [*command, "--data", str(tmp_path / "data"), "--picture", str(picture)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert SIMULATED in done.stdout
    assert SIMULATED in done.stderr
    assert "Every release ended as it must" in done.stderr
    assert done.stdout.count(" yes ") == 3
    assert SIMULATED.split(":", maxsplit=1)[0] in picture.read_text().replace("&#160;", " ")


def test_a_data_folder_of_an_earlier_demo_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    store = SqlStore(f"sqlite:///{tmp_path / 'data' / 'demo.db'}")
    store.upgrade()
    with store.unit() as unit:
        first_key(unit)
    store.dispose()
    demo = [sys.executable, "-m", "gatekeeper", "demo", "--engine", "sim", "--no-ui", "--data", str(tmp_path / "data")]
    done = subprocess.run(demo, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 4
    assert "--data" in done.stderr
