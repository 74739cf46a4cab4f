"""What the control plane will never take is put aside, counted and told of; it holds nothing else back."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from gatekeeper.adapters._quarantine import Quarantine
from gatekeeper.adapters.spool import DiskSpool, Shipper, SpoolReader
from gatekeeper.captures.frames import MEDIA_TYPE, read_frame, split_frames
from gatekeeper.captures.raw import RawExchange
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Plane:
    """Take exchanges, and refuse batches that hold a poisonous one with `status`; 200: name it among those taken."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        """Poison nothing."""
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.poison: set[str] = set()
        self.status = 422
        self.posts = 0
        self.taken: list[dict[str, object]] = []


@pytest.fixture
def plane() -> Iterator[Plane]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            assert self.headers["content-type"] == MEDIA_TYPE
            frames = split_frames(self.rfile.read(int(self.headers["content-length"])))
            plain = [structs.asdict(read_frame(frame)) for frame in frames]
            bad = [number for number, one in enumerate(plain, start=1) if one["id"] in made.poison]
            made.posts += 1
            status = made.status if bad else 200
            if status == 200:
                made.taken += [one for number, one in enumerate(plain, start=1) if number not in bad]
            refused = [{"line": number, "message": "no exchange"} for number in bad]
            body = json.dumps({"refused": refused} if status == 200 else {"detail": "unreadable"}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = Plane(server)
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def sender(plane: Plane, tmp_path: Path) -> Iterator[Shipper]:
    spool = DiskSpool(tmp_path)
    arms = (Arm.BASELINE, Arm.CANDIDATE)
    spool.put([RawExchange(str(number), 0.0, arms[number % 2], "bot", "r", 1, 3) for number in range(40)])
    spool.close()
    made = Shipper(SpoolReader(tmp_path), api_url=plane.url, api_key="k", gateway_id="g", most=16)
    yield made
    made.start()
    made.stop()


@pytest.mark.parametrize("status", [400, 413, 422, 200])
def test_only_the_poison_is_put_aside(plane: Plane, sender: Shipper, tmp_path: Path, status: int):
    plane.poison, plane.status = {"3", "17", "19"}, status
    assert sender.ship() == 37
    assert sender.failure == ""
    exchanges = [one for one in plane.taken if not one["lost"]]
    assert [one["id"] for one in exchanges] == [str(n) for n in range(40) if str(n) not in plane.poison]
    aside = [line for file in (tmp_path / "refused").iterdir() for line in file.read_text().splitlines()]
    assert {json.loads(line)["id"] for line in aside} == plane.poison
    assert sender.counts() == {"shipped": 37, "refused": 3, "refused_dropped": 0}
    (notice,) = [one for one in plane.taken if one["lost"]]
    assert (notice["arm"], notice["rollout_id"], notice["stage"], notice["epoch"]) == (Arm.CANDIDATE, "r", 1, 3)
    assert notice["lost"] == 3
    assert plane.posts < 40
    assert sender.ship() == 0


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_what_is_not_the_lines_fault_stays(plane: Plane, sender: Shipper, tmp_path: Path, status: int):
    plane.poison, plane.status = {"20"}, status
    assert sender.ship() == 16
    assert str(status) in sender.failure
    assert not (tmp_path / "refused").exists()
    plane.poison = set()
    assert sender.ship() == 24
    assert sender.counts()["refused"] == 0


def test_the_quarantine_has_a_bound(tmp_path: Path):
    aside = Quarantine(tmp_path / "refused", most_bytes=10)
    aside.put("a.jsonl", [b"12345"], "422")
    aside.put("a.jsonl", [b"1234567"], "422")
    aside.put("b.jsonl", [b"12345", b"6"], "422")
    assert [file.read_bytes() for file in aside.directory.iterdir()] == [b"1234567\n"]
    assert (aside.refused, aside.dropped) == (4, 2)


def test_a_quarantine_that_cannot_be_written_is_no_failure(tmp_path: Path):
    (tmp_path / "refused").write_text("in the way")
    aside = Quarantine(tmp_path / "refused")
    aside.put("a.jsonl", [b"1"], "422")
    assert (aside.refused, aside.dropped) == (1, 1)
