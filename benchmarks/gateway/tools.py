"""What the benchmark needs beside the project: the C programs compiled, nginx and the peers' own environment.

All of it lands in `.cache/bench-gateway`. A tool that cannot be had raises `Missing`, which the table then says.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "bench-gateway"
PEERS = HERE / "peers.txt"
SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")


class Missing(RuntimeError):  # noqa: N818 - it is said in a table, not only raised
    """Name a tool that cannot be had here, and why."""


def compiled(name: str) -> Path:
    """Return the program made of `name`.c, compiled again when its source is newer.

    Raises:
        Missing: there is no C compiler, or it refuses the source.
    """
    source, program = HERE / f"{name}.c", CACHE / "bin" / name
    if program.exists() and program.stat().st_mtime >= source.stat().st_mtime:
        return program
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Missing("a C compiler is needed (Debian, Ubuntu: apt-get install gcc libc6-dev)")
    program.parent.mkdir(parents=True, exist_ok=True)
    _run([compiler, "-O2", "-o", str(program), str(source), "-lm"], f"{source.name} does not compile")
    return program


def request_path() -> Path:
    """Return where the wheel is laid out whose request path is compiled, after building it.

    Raises:
        Missing: it cannot be built here.
    """
    _run(["bash", str(HERE.parents[1] / ".ci" / "wheel.sh")], "the wheel cannot be built")
    return HERE.parents[1] / ".cache" / "compiled"


def nginx() -> Path:
    """Return nginx: the one on the PATH, else Debian's package unpacked into the cache, never installed or started.

    Raises:
        Missing: neither is to be had.
    """
    unpacked = CACHE / "nginx" / "usr" / "sbin" / "nginx"
    if found := shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), *SBIN])):
        return Path(found)
    if not unpacked.exists():
        if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
            raise Missing("nginx is not installed, and this is no Debian or Ubuntu to fetch it from")
        CACHE.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "-qq", "download", "nginx"], "apt-get does not find nginx: run apt-get update first")
        (package,) = CACHE.glob("nginx_*.deb")
        _run(["dpkg", "-x", package.name, "nginx"], f"{package.name} cannot be unpacked")
        package.unlink()
    return unpacked


def peers_bin() -> Path:
    """Return the folder of the peers' commands, after installing what peers.txt pins into an environment of its own.

    Raises:
        Missing: pip cannot install it.
    """
    home = CACHE / "venv"
    stamp = home / ".installed"
    if not stamp.exists() or stamp.read_text() != PEERS.read_text():
        print("installing the peers (a minute or two)", flush=True)
        shutil.rmtree(home, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(home)], "no virtual environment can be made")
        command = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*command, "-r", str(PEERS)], "pip cannot install the peers")
        stamp.write_text(PEERS.read_text())
    return home / "bin"


def version(command: Sequence[str]) -> str:
    """Return the last word of what a command says when it is asked for its version."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own
    return (done.stdout or done.stderr).split()[-1]


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(command: Sequence[str], problem: str) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise Missing(f"{problem}: {(done.stderr or done.stdout).strip()[-400:]}")
