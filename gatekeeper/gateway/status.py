"""What the gateway says of itself: models, readiness, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from gatekeeper.errors import InputError
from gatekeeper.gateway.page import Page

if TYPE_CHECKING:
    from gatekeeper.adapters.splitfeed import SplitFeed
    from gatekeeper.gateway.counters import Counters
    from gatekeeper.gateway.fleet import Fleet
    from gatekeeper.gateway.mirror import Mirror
    from gatekeeper.ports import Carrier, Spool

_PREFIX = "gatekeeper_gateway"


def models(feed: SplitFeed) -> bytes:
    """Return the services as OpenAI's list of models."""
    data = [{"id": split.service, "object": "model", "created": 0, "owned_by": "gatekeeper"} for split in feed.all()]
    return msgspec.json.encode({"object": "list", "data": data})


def recording(waiting: int, spool: Spool | None, carrier: Carrier | None) -> dict[str, Any]:
    """Say how recording goes; spool and control_plane: "fine", why not, or None where there is none.

    waiting: exchanges that are still to be recorded.
    """
    return {
        "waiting": waiting,
        "spool": None if spool is None else spool.failure or "fine",
        "control_plane": None if carrier is None else carrier.failure or "fine",
    }


async def ready(
    feed: SplitFeed, fleet: Fleet, workers: dict[str, int], records: dict[str, Any], *, draining: bool
) -> tuple[bool, bytes]:
    """Tell whether a request sent now would be served, and why not: every baseline is connected to.

    workers: how many there are; those that are missing do not make the others unready. records: see `recording`; users
    are served whatever becomes of them.
    """
    services: dict[str, Any] = {}
    for split in feed.all():
        try:
            pool = fleet.pool(split.baseline.url)
            connection = pool.take() or await pool.connect()
            pool.give_back(connection)
            baseline = "reachable"
        except (OSError, InputError) as exc:
            baseline = f"unreachable: {str(exc) or 'it did not answer in time'}"
        services[split.service] = {"split": list(split.order), "baseline": baseline}
    fine = bool(services) and not draining and all(one["baseline"] == "reachable" for one in services.values())
    body = {
        "ready": fine,
        "draining": draining,
        "splits_from_file": feed.stale,
        "workers": workers,
        "recording": records,
        "services": services,
    }
    return fine, msgspec.json.encode(body)


@dataclass(frozen=True, slots=True)
class Records:
    """Hold what became of recorded exchanges, by result: in the recorder, in the spool, on the way from there."""

    recorder: Mapping[str, int]
    spool: Mapping[str, int]
    sent: Mapping[str, int]


def metrics(feed: SplitFeed, counters: Counters, records: Records, mirror: Mirror, fleet: Fleet) -> Page:
    """Return this worker's figures; labels come from configuration, never from requests."""
    page = Page()
    _write_traffic(page, counters, mirror)
    _write_records(page, records)
    for name, text, join in (
        ("epoch", "Epoch", "min"),
        ("version", "Version", "min"),
        ("candidate_bp", "Candidate's share in bp", "max"),
    ):
        page.family(f"{_PREFIX}_split_{name}", "gauge", f"{text} of the split in force.", join=join)
        for split in feed.all():
            page.value(f"{_PREFIX}_split_{name}", getattr(split, name), service=split.service)
    page.family(f"{_PREFIX}_breaker_open", "gauge", "1 while a candidate's endpoint is not asked.", join="max")
    for url, breaker in sorted(fleet.breakers().items()):
        page.value(f"{_PREFIX}_breaker_open", int(breaker.open), endpoint=url)
    return page


def _write_traffic(page: Page, counters: Counters, mirror: Mirror) -> None:
    page.family(f"{_PREFIX}_requests_total", "counter", "Requests that ended, by service, arm and outcome.")
    for (service, arm, outcome), count in sorted(counters.requests.items()):
        page.value(f"{_PREFIX}_requests_total", count, service=service, arm=arm, outcome=outcome)
    page.family(f"{_PREFIX}_refusals_total", "counter", "Requests answered by the gateway itself, by status.")
    for status, count in sorted(counters.refusals.items()):
        page.value(f"{_PREFIX}_refusals_total", count, status=str(status))
    page.family(f"{_PREFIX}_rescues_total", "counter", "Requests of the candidate answered by the baseline.")
    for service, count in sorted(counters.rescues.items()):
        page.value(f"{_PREFIX}_rescues_total", count, service=service)
    page.family(f"{_PREFIX}_unrescued_total", "counter", "Failures passed on: no second tries were left.")
    for service, count in sorted(counters.unrescued.items()):
        page.value(f"{_PREFIX}_unrescued_total", count, service=service)
    page.family(f"{_PREFIX}_shed_total", "counter", "Requests answered 503: too many were in flight.")
    page.value(f"{_PREFIX}_shed_total", counters.shed)
    page.family(f"{_PREFIX}_mirrored_total", "counter", "Copies for the candidate: sent, or dropped by reason.")
    for (service, what), count in sorted(counters.mirrors.items()):
        page.value(f"{_PREFIX}_mirrored_total", count, service=service, result=what)
    page.family(f"{_PREFIX}_mirrors_in_flight", "gauge", "Copies under way.")
    page.value(f"{_PREFIX}_mirrors_in_flight", mirror.in_flight)
    page.family(f"{_PREFIX}_connections", "gauge", "Open client connections.")
    page.value(f"{_PREFIX}_connections", counters.connections)
    page.family(f"{_PREFIX}_unproxied_total", "counter", "Connections closed: no PROXY header where one was due.")
    page.value(f"{_PREFIX}_unproxied_total", counters.unproxied)


def _write_records(page: Page, records: Records) -> None:
    for name, text, counts in (
        ("recorder", "Exchanges handed to the recorder, by what became of them.", records.recorder),
        ("spool", "Exchanges given to the spool, by what became of them.", records.spool),
        ("shipper", "Exchanges sent to the control plane, by what became of them.", records.sent),
    ):
        if counts:
            page.family(f"{_PREFIX}_{name}_total", "counter", text)
        for what, count in counts.items():
            page.value(f"{_PREFIX}_{name}_total", count, result=what)
