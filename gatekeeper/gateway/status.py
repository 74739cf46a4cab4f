"""What the gateway says of itself: models, readiness, figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gatekeeper.errors import InputError
from gatekeeper.gateway.counters import Page

if TYPE_CHECKING:
    from gatekeeper.adapters.splitfeed import SplitFeed
    from gatekeeper.gateway.counters import Counters
    from gatekeeper.gateway.fleet import Fleet
    from gatekeeper.gateway.mirror import Mirror
    from gatekeeper.gateway.recorder import Recorder
    from gatekeeper.ports import Spool

_PREFIX = "gatekeeper_gateway"


def models(feed: SplitFeed) -> bytes:
    """Return the services as OpenAI's list of models."""
    data = [{"id": split.service, "object": "model", "created": 0, "owned_by": "gatekeeper"} for split in feed.all()]
    return msgspec.json.encode({"object": "list", "data": data})


async def ready(feed: SplitFeed, fleet: Fleet, *, draining: bool) -> tuple[bool, bytes]:
    """Tell whether a request sent now would be served, and why not: every baseline is connected to."""
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
    body = {"ready": fine, "draining": draining, "splits_from_file": feed.stale, "services": services}
    return fine, msgspec.json.encode(body)


def metrics(
    feed: SplitFeed, counters: Counters, recorder: Recorder, spool: Spool | None, mirror: Mirror, fleet: Fleet
) -> bytes:
    """Return the figures for Prometheus; labels come from configuration, never from requests."""
    page = Page()
    _write_traffic(page, counters, mirror)
    _write_records(page, recorder, spool)
    for name, text in (("epoch", "Epoch"), ("version", "Version"), ("candidate_bp", "Candidate's share in bp")):
        page.family(f"{_PREFIX}_split_{name}", "gauge", f"{text} of the split in force.")
        for split in feed.all():
            page.value(f"{_PREFIX}_split_{name}", getattr(split, name), service=split.service)
    page.family(f"{_PREFIX}_breaker_open", "gauge", "1 while a candidate's endpoint is not asked.")
    for url, breaker in sorted(fleet.breakers().items()):
        page.value(f"{_PREFIX}_breaker_open", int(breaker.open), endpoint=url)
    return page.body()


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
    page.family(f"{_PREFIX}_mirrored_total", "counter", "Copies for the candidate: sent, or dropped by reason.")
    for (service, what), count in sorted(counters.mirrors.items()):
        page.value(f"{_PREFIX}_mirrored_total", count, service=service, result=what)
    page.family(f"{_PREFIX}_mirrors_in_flight", "gauge", "Copies under way.")
    page.value(f"{_PREFIX}_mirrors_in_flight", mirror.in_flight)
    page.family(f"{_PREFIX}_connections", "gauge", "Open client connections.")
    page.value(f"{_PREFIX}_connections", counters.connections)


def _write_records(page: Page, recorder: Recorder, spool: Spool | None) -> None:
    page.family(f"{_PREFIX}_recorder_total", "counter", "Exchanges handed to the recorder, by what became of them.")
    for what, count in recorder.counts.items():
        page.value(f"{_PREFIX}_recorder_total", count, result=what)
    if spool is not None:
        page.family(f"{_PREFIX}_spool_total", "counter", "Exchanges given to the spool, by what became of them.")
        for what, count in spool.counts().items():
            page.value(f"{_PREFIX}_spool_total", count, result=what)
