"""A control plane's stand-in: gives a gateway its split and takes what it recorded, in a process of its own.

`python plane.py PORT SPLIT.json`. `GET /counts` says how many exchanges came, how many ids they had, and how
many it was told were lost.
"""

from __future__ import annotations

import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson

from gatekeeper.captures.frames import read_frame, split_frames

ETAG = '"1"'


class Plane(BaseHTTPRequestHandler):
    """Answer one gateway's requests."""

    protocol_version = "HTTP/1.1"
    splits = b""
    ids: set[str] = set()  # noqa: RUF012 - one plane a process
    told: Counter[str] = Counter(lines=0, lost=0)  # noqa: RUF012 - as above

    def do_GET(self) -> None:
        """Give the split, or the counts."""
        if self.path == "/counts":
            self._say(200, orjson.dumps({**self.told, "ids": len(self.ids)}))
        elif self.headers.get("if-none-match") == ETAG:
            self._say(304, b"")
        else:
            self._say(200, self.splits)

    def do_POST(self) -> None:
        """Take a batch of captures."""
        for frame in split_frames(self.rfile.read(int(self.headers["content-length"]))):
            raw = read_frame(frame)
            if raw.lost:
                self.told["lost"] += raw.lost
                continue
            self.told["lines"] += 1
            self.ids.add(raw.id)
        self._say(200, b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing of each request."""

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("etag", ETAG)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    Plane.splits = Path(sys.argv[2]).read_bytes()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Plane).serve_forever()
