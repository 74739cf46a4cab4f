"""Client libraries in environments of their own, kept in `.cache/clients` and made again when their pins change."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
CACHE = HERE.parents[2] / ".cache" / "clients"


def _run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"


def _fresh(home: Path, *pins: Path) -> bool:
    """Tell whether the folder was made from these files as they are."""
    stamp = home / ".pins"
    return stamp.exists() and stamp.read_bytes() == b"".join(pin.read_bytes() for pin in pins)


def _stamp(home: Path, *pins: Path) -> None:
    (home / ".pins").write_bytes(b"".join(pin.read_bytes() for pin in pins))


def python_of(name: str) -> Path:
    """Return the Python of an environment that has what NAME.txt pins."""
    home, pins = CACHE / name, HERE / f"{name}.txt"
    if not _fresh(home, pins):
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        _run(sys.executable, "-m", "venv", str(home), cwd=HERE)
        pip = (str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, "-r", str(pins), cwd=HERE)
        _stamp(home, pins)
    return home / "bin" / "python"


def node_folder() -> Path:
    """Return a folder with the scripts of `node/` and the packages that its lock file pins."""
    home, source = CACHE / "node", HERE / "node"
    pins = (source / "package.json", source / "package-lock.json")
    if not _fresh(home, *pins):
        npm = shutil.which("npm")
        if npm is None:
            pytest.fail("these tests need npm and Node 20 or newer (Debian, Ubuntu: apt-get install npm)")
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        for pin in pins:
            shutil.copy(pin, home)
        _run(npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=home)
        _stamp(home, *pins)
    for script in source.glob("*.mjs"):
        shutil.copy(script, home)
    return home


@pytest.fixture(scope="module")
def guidellm() -> Path:
    """Give the load generator guidellm, from an environment of its own."""
    return python_of("guidellm").with_name("guidellm")


@pytest.fixture(scope="module")
def hey() -> Path:
    """Give the load generator hey: the one on the PATH, else Debian's package unpacked, never installed."""
    if found := shutil.which("hey"):
        return Path(found)
    home = CACHE / "hey"
    program = home / "usr" / "bin" / "hey"
    if not program.exists():
        if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
            pytest.fail("this test needs hey on the PATH (Debian, Ubuntu: apt-get install hey)")
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        _run("apt-get", "-qq", "download", "hey", cwd=home)
        (package,) = home.glob("hey_*.deb")
        _run("dpkg", "-x", package.name, ".", cwd=home)
    return program


def _command(client: str) -> list[str]:
    if client == "openai":
        return [sys.executable, str(HERE / "openai_chat.py")]
    if client == "litellm":
        return [str(python_of(client)), str(HERE / "litellm_chat.py")]
    return ["node", str(node_folder() / f"{client.removesuffix(' (npm)')}.mjs")]


@pytest.fixture
def command() -> Callable[[str], list[str]]:
    """Give the command of a client by its name; its library is installed when it is first asked for."""
    return _command
