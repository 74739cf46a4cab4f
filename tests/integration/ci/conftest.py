"""A pipeline's surroundings: a shim of the command, and a code host that keeps comments in memory."""

from __future__ import annotations

import json
import os
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SHIM = """#!/bin/sh
printf '%s\\n' "$@" > "$SHIM_LOG.$1"
if [ "$1" = gate ]; then
  while [ $# -gt 0 ]; do [ "$1" != --output ] || { mkdir -p "$(dirname "$2")"; echo '{}' > "$2"; }; shift; done
  exit "$SHIM_CODE"
fi
"""


@dataclass
class CodeHost:
    """Hold a thread's comments, in the shapes of GitHub's and GitLab's interfaces.

    locked: ids that the token may not change. broken: answers everything with 500.
    """

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    locked: set[int] = field(default_factory=set)
    broken: bool = False

    def answer(self, method: str, target: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Answer one request with a status and a value."""
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        self.calls.append((method, path))
        if self.broken:
            return 500, {"message": "out of order"}
        if method == "GET":
            size, page = int(query["per_page"][0]), int(query["page"][0])
            return 200, self.comments[size * (page - 1) : size * page]
        if method == "POST":
            self.comments.append({"id": 1000 + len(self.comments), "html_url": f"{self.url}/c", **body})
            return 201, self.comments[-1]
        number = int(path.rsplit("/", 1)[1])
        if number in self.locked:
            return 403, {"message": "Resource not accessible by integration"}
        (known,) = [comment for comment in self.comments if comment["id"] == number]
        known |= body
        return 200, known


@pytest.fixture
def host() -> Iterator[CodeHost]:
    """Give a code host that listens on this machine; others have commented there already."""
    kept = CodeHost(comments=[{"id": n, "body": f"comment {n}"} for n in range(130)])

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            kept.headers = {name.lower(): value for name, value in self.headers.items()}
            status, value = kept.answer(self.command, self.path, body)
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = _any  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def real(tmp_path: Path) -> dict[str, str]:
    """Give an environment in which `gatekeeper` is this one."""
    return _environment(tmp_path, f'#!/bin/sh\nexec "{sys.executable}" -m gatekeeper "$@"\n')


@pytest.fixture
def shim(tmp_path: Path) -> dict[str, str]:
    """Give an environment in which `gatekeeper` notes its arguments in SHIM_LOG.COMMAND and exits with SHIM_CODE."""
    return {**_environment(tmp_path, SHIM), "SHIM_LOG": str(tmp_path / "shim.log"), "SHIM_CODE": "0"}


def _environment(folder: Path, script: str) -> dict[str, str]:
    (folder / "bin").mkdir()
    (folder / "bin" / "gatekeeper").write_text(script)
    (folder / "bin" / "gatekeeper").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI_", "GATEKEEPER_"))}
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {**kept, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": path}
