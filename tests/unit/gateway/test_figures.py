"""Figures of several workers: joined by any of them, kept when one dies, and never falling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.gateway.figures import FRESH_S, Figures
from gatekeeper.gateway.page import Page

if TYPE_CHECKING:
    from pathlib import Path


def page(requests: int, connections: int = 0, version: int = 1, share: int = 0) -> Page:
    made = Page()
    made.family("requests_total", "counter", "Requests.")
    made.value("requests_total", requests, arm="baseline")
    made.family("connections", "gauge", "Connections.")
    made.value("connections", connections)
    made.family("version", "gauge", "Version.", join="min")
    made.value("version", version, service='a"b')
    made.family("share", "gauge", "Share.", join="max")
    made.value("share", share)
    return made


class Clock:
    """Stand still until it is moved."""

    def __init__(self) -> None:
        """Begin at a hundred seconds."""
        self.now_s = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


def shown(of: Page) -> dict[str, float]:
    lines = [line for line in of.body().decode().splitlines() if not line.startswith("#")]
    return {
        name.removeprefix("gatekeeper_gateway_"): float(value) for name, _, value in (s.rpartition(" ") for s in lines)
    }


def test_any_worker_answers_for_all(tmp_path: Path):
    clock = Clock()
    crew = [Figures(tmp_path, number, 3, clock) for number in (1, 2, 3)]
    crew[0].leave(page(5, 1, version=7, share=100))
    crew[1].leave(page(7, 2, version=8, share=200))
    assert shown(crew[2].joined(page(11, 3, version=8, share=200))) == {
        'requests_total{arm="baseline"}': 23,
        "connections": 6,
        'version{service="a\\"b"}': 7,
        "share": 200,
        "workers": 3,
        "workers_reporting": 3,
        "worker_restarts_total": 0,
    }
    assert crew[0].workers() == {"configured": 3, "reporting": 3}


def test_what_a_worker_had_counted_outlives_it(tmp_path: Path):
    clock = Clock()
    one, other = Figures(tmp_path, 1, 2, clock), Figures(tmp_path, 2, 2, clock)
    other.leave(page(40, 9))
    assert shown(one.joined(page(2, 1)))['requests_total{arm="baseline"}'] == 42
    again = Figures(tmp_path, 2, 2, clock)
    assert shown(one.joined(page(2, 1)))['requests_total{arm="baseline"}'] == 42
    again.leave(page(3, 1))
    seen = shown(one.joined(page(2, 1)))
    assert (seen['requests_total{arm="baseline"}'], seen["connections"], seen["worker_restarts_total"]) == (45, 2, 1)
    thrice = Figures(tmp_path, 2, 2, clock)
    seen = shown(thrice.joined(page(1, 1)))
    assert (seen['requests_total{arm="baseline"}'], seen["worker_restarts_total"]) == (46, 2)


def test_one_that_is_silent_is_missed_and_its_gauges_with_it(tmp_path: Path):
    clock = Clock()
    one, other = Figures(tmp_path, 1, 2, clock), Figures(tmp_path, 2, 2, clock)
    other.leave(page(40, 9, version=1))
    clock.now_s += FRESH_S + 0.1
    seen = shown(one.joined(page(2, 1, version=5)))
    assert (seen['requests_total{arm="baseline"}'], seen["connections"]) == (42, 1)
    assert (seen["workers"], seen["workers_reporting"], seen['version{service="a\\"b"}']) == (2, 1, 5)
    assert one.workers() == {"configured": 2, "reporting": 1}


def test_what_was_shown_was_written_before(tmp_path: Path):
    one = Figures(tmp_path, 1, 2, Clock())
    assert shown(one.joined(page(8)))['requests_total{arm="baseline"}'] == 8
    assert shown(Figures(tmp_path, 2, 2, Clock()).joined(page(0)))['requests_total{arm="baseline"}'] == 8


def test_a_folder_that_is_gone_costs_the_others_figures_only(tmp_path: Path):
    (tmp_path / "worker-2.json").write_bytes(b'{"at": 1')
    one = Figures(tmp_path, 1, 2, Clock())
    assert shown(one.joined(page(8)))["workers_reporting"] == 1
    gone = Figures(tmp_path / "gone", 1, 2, Clock())
    assert shown(gone.joined(page(8)))['requests_total{arm="baseline"}'] == 8
