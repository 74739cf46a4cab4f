"""The review screens as a child process: Streamlit, told where the API is and whose key it may speak with."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx

import gatekeeper
from gatekeeper.adapters.sockets import free_port
from gatekeeper.errors import InputError, WorldError

if TYPE_CHECKING:
    from types import TracebackType

READY_S = 60.0
GRACE_S = 5.0
POLL_S = 0.1
FLAGS = (
    "--server.headless=true",
    "--server.fileWatcherType=none",
    "--browser.gatherUsageStats=false",
    "--client.toolbarMode=viewer",
    "--client.showErrorDetails=none",
    "--logger.level=warning",
    "--theme.primaryColor=#00796b",  # the default is red, and the primary button approves
)
OURS = "GATEKEEPER_"


def pages() -> Path:
    """Return the folder of the pages: in a checkout, or inside the installed package.

    Raises:
        InputError: neither is there.
    """
    package = Path(gatekeeper.__file__).parent
    for folder in (package.parent / "dashboards", package / "_dashboards"):
        if (folder / "server.py").exists():
            return folder
    raise InputError("the review screens' files are missing: reinstall llm-gatekeeper")


class Ui:
    """Run the review screens; url is None when they are not enabled."""

    def __init__(
        self, api_url: str, key: str, *, enabled: bool = True, host: str = "127.0.0.1", port: int | None = None
    ) -> None:
        """Prepare. key: what viewers act with until they give their own, "" for none; port None takes a free one.

        Raises:
            InputError: streamlit is not installed.
        """
        if enabled and not find_spec("streamlit"):
            raise InputError("the review screens need streamlit: pip install 'llm-gatekeeper[ui]'")
        self._port = (port or free_port(host)) if enabled else 0
        self.url = f"http://{host}:{self._port}" if enabled else None
        self._host = host
        self._environment = _environment(api_url, key)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start the screens without waiting for them."""
        if self.url is not None:
            command = [sys.executable, "-m", "streamlit", "run", str(pages() / "server.py"), *FLAGS]
            command += [f"--server.port={self._port}", f"--server.address={self._host}"]
            self._process = subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own interpreter and page
        return self

    def ready(self) -> None:
        """Wait until the screens answer.

        Raises:
            WorldError: their process ended, or does not answer in time.
        """
        until = time.monotonic() + READY_S
        while not self._answers():
            if time.monotonic() > until:
                raise WorldError(f"the review screens do not answer at {self.url} after {READY_S:g} s")
            time.sleep(POLL_S)

    def wait(self) -> int:
        """Wait for the screens' end; return their process's exit code."""
        return self._process.wait() if self._process else 0

    def stop(self) -> None:
        """End the screens."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise WorldError(f"the review screens ended before they answered at {self.url}: is the port taken?")
        try:
            return httpx.get(f"{self.url}/_stcore/health", trust_env=False, timeout=1.0).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


def _environment(api_url: str, key: str) -> dict[str, str]:
    """Return our environment without our settings: the screens need neither the database nor anybody's secrets."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    own = {"API_URL": api_url, "API_KEY": key, "UI_PARENT": str(os.getpid())}
    return rest | {OURS + name: value for name, value in own.items()}
