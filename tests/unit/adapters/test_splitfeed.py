"""The split feed: newer wins, a rollback is never undone, a restart never raises the candidate's share."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.adapters.splitfeed import HttpSplitFeed, SplitFeed
from gatekeeper.adapters.spool import DiskSpool, Shipper, SpoolReader
from gatekeeper.captures.frames import read_frame, split_frames
from gatekeeper.captures.raw import RawExchange
from gatekeeper.errors import InputError
from gatekeeper.model.arm import Arm
from gatekeeper.model.split import Endpoint, Split
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def split(epoch: int, version: int, candidate_bp: int = 1_000, service: str = "bot") -> Split:
    here, there = Endpoint(url="http://b", model="b"), Endpoint(url="http://c", model="c")
    return Split(
        service=service,
        epoch=epoch,
        version=version,
        baseline=here,
        candidate=there,
        candidate_bp=candidate_bp,
        mirror_bp=500,
        salt="s",
    )


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_the_greatest_order_is_held_whatever_the_order_of_arrival(orders: list[tuple[int, int]]):
    feed = SplitFeed()
    for epoch, version in orders:
        feed.update([split(epoch, version)])
    assert feed.orders() == {"bot": max(orders)}


def test_a_restart_goes_on_where_it_was(tmp_path: Path):
    path = tmp_path / "deep" / "last.json"
    SplitFeed(path).update([split(1, 2), split(1, 1, service="other")])
    again = SplitFeed(path)
    assert again.stale
    assert again.get("bot") == split(1, 2)
    assert again.orders() == {"bot": (1, 2), "other": (1, 1)}
    again.update([split(1, 1, 5_000)])
    assert again.get("bot") == split(1, 2)
    assert not again.stale


def test_an_old_file_sends_everybody_to_the_baseline_until_the_control_plane_speaks(tmp_path: Path):
    path = tmp_path / "last.json"
    SplitFeed(path, now=lambda: 1_000.0).update([split(1, 2)])
    late = SplitFeed(path, now=lambda: 2_000.0, max_age_s=100)
    held = late.get("bot")
    assert held is not None
    assert (held.candidate_bp, held.mirror_bp, held.baseline.url) == (0, 0, "http://b")
    assert late.orders() == {}
    late.update([split(1, 2)])
    assert late.get("bot") == split(1, 2)
    assert late.orders() == {"bot": (1, 2)}


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "foreign", "not text"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str):
    path = tmp_path / "last.json"
    SplitFeed(path).update([split(1, 2)])
    content = path.read_bytes()
    path.write_bytes(
        {
            "truncate": content[:-9],
            "flip": content.replace(b'"candidate_bp":1000', b'"candidate_bp":9000'),
            "empty": b"",
            "foreign": b'{"splits": []}\n',
            "not text": b"\xff\n\xfe\n",
        }[damage]
    )
    assert SplitFeed(path).all() == ()


class ControlPlane:
    """Serve splits and take exchanges, or fail, over HTTP."""

    def __init__(self) -> None:
        """Know no split, and be well."""
        self.splits: list[Split] = []
        self.status = 200
        self.asked: list[dict[str, list[str]]] = []
        self.taken: list[str] = []
        self.headers: list[dict[str, str]] = []


@pytest.fixture
def control() -> Iterator[tuple[ControlPlane, str]]:
    plane = ControlPlane()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            plane.asked.append(parse_qs(urlsplit(self.path).query))
            self._say({"splits": [to_dict(one) for one in plane.splits]})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if plane.status == 200:
                plane.taken += [read_frame(frame).id for frame in split_frames(body)]
            plane.headers.append(dict(self.headers))
            self._say({})

        def _say(self, payload: object) -> None:
            body = json.dumps(payload).encode()
            self.send_response(plane.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield plane, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_polling_takes_splits_and_tells_what_is_applied(control: tuple[ControlPlane, str]):
    plane, url = control
    plane.splits = [split(1, 3)]
    feed = SplitFeed()
    poller = HttpSplitFeed(feed, api_url=url, api_key="k", gateway_id="g-1", every_s=0.01)
    assert poller.poll() == (split(1, 3),)
    assert poller.poll() == ()
    assert plane.asked == [{"gateway": ["g-1"]}, {"gateway": ["g-1"], "seen": ["bot:1.3"]}]
    plane.status = 500
    with pytest.raises(httpx.HTTPStatusError):
        poller.poll()
    plane.status, plane.splits = 200, [split(2, 0, 0)]
    with contextlib.closing(_Started(poller)):
        for _ in range(300):
            if feed.orders() == {"bot": (2, 0)}:
                break
            threading.Event().wait(0.01)
    assert feed.orders() == {"bot": (2, 0)}


class _Started:
    def __init__(self, thread: HttpSplitFeed | Shipper) -> None:
        self._thread = thread
        thread.start()

    def close(self) -> None:
        self._thread.stop()


def test_a_strange_answer_is_refused(control: tuple[ControlPlane, str]):
    plane, url = control
    poller = HttpSplitFeed(SplitFeed(), api_url=url, api_key="k", gateway_id="g")
    plane.splits = [split(1, 1)]
    poller.poll()
    plane.status = 204
    with pytest.raises(InputError, match="expected"):
        poller.poll()


def test_the_shipper_forgets_only_what_was_taken(control: tuple[ControlPlane, str], tmp_path: Path):
    plane, url = control
    spool = DiskSpool(tmp_path)
    spool.put([RawExchange(str(number), 0.0, Arm.BASELINE, "", "", -1, 0) for number in range(25)])
    spool.close()
    shipper = Shipper(SpoolReader(tmp_path), api_url=url, api_key="k", gateway_id="g-1", most=10)
    plane.status = 503
    assert shipper.ship() == 0
    assert "503" in shipper.failure
    plane.status = 200
    assert shipper.ship() == 25
    assert plane.taken == [str(number) for number in range(25)]
    assert plane.headers[-1]["authorization"] == "Bearer k"
    assert plane.headers[-1]["x-gatekeeper-gateway"] == "g-1"
    assert shipper.ship() == 0
    with contextlib.closing(_Started(shipper)):
        pass
    assert list(tmp_path.iterdir()) == []
