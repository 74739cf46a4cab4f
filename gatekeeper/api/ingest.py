"""What gateways call: exchanges in, splits out."""

import hashlib
import logging
from typing import Annotated, Any

import msgspec
import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from gatekeeper.api.caller import INGEST, TheApp
from gatekeeper.errors import InputError
from gatekeeper.flow import intake
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.wire import from_dict, to_dict

LOG = logging.getLogger("gatekeeper.api")
routes = APIRouter(prefix="/v1", tags=["gateways"], dependencies=[INGEST])

_MOST_SHOWN = 20


async def raw_body(request: Request) -> bytes:
    """Return a request's bytes; the door has capped them."""
    return await request.body()


Raw = Annotated[bytes, Depends(raw_body)]


@routes.post("/exchanges")
def take_exchanges(app: TheApp, request: Request, body: Raw) -> dict[str, Any]:
    """Store exchanges, one JSON object a line, each once by its id; a batch may be sent again.

    A line that cannot be understood is refused, counted and named, and holds back none of the others: sent again it
    would be no better.
    """
    exchanges, refused = _read(body)
    with app.unit() as unit:
        new = intake.accept(unit, exchanges)
    if refused:
        request.app.state.refused_lines += len(refused)
        LOG.warning("%d lines of a batch of exchanges were refused; the first: %s", len(refused), refused[0])
    return {"received": len(exchanges) + len(refused), "new": new, "refused": refused[:_MOST_SHOWN]}


@routes.get("/splits")
def list_splits(
    app: TheApp,
    gateway: Annotated[str, Query(min_length=1, max_length=200)],
    seen: Annotated[str, Query(max_length=100_000)] = "",
    if_none_match: Annotated[str | None, Header(alias="if-none-match")] = None,
) -> Response:
    """Return the split of every service, and note which (epoch, version) the asking gateway applies.

    seen: `service:epoch.version,...`. Answers 304 when If-None-Match holds the ETag.
    """
    with app.unit() as unit:
        unit.splits.report_seen(gateway, _orders(seen))
        splits = [to_dict(split) for split in unit.splits.all()]
    body = orjson.dumps({"splits": splits})
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if if_none_match == etag:
        return Response(status_code=304, headers={"etag": etag})
    return Response(body, media_type="application/json", headers={"etag": etag, "cache-control": "no-cache"})


def _read(body: bytes) -> tuple[list[Exchange], list[dict[str, Any]]]:
    exchanges: list[Exchange] = []
    refused: list[dict[str, Any]] = []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            exchanges.append(_exchange(line))
        except (InputError, msgspec.DecodeError, RecursionError) as exc:
            refused.append({"line": number, "message": str(exc)})
    return exchanges, refused


def _exchange(line: bytes) -> Exchange:
    plain = msgspec.json.decode(line)
    if not isinstance(plain, dict):
        raise InputError(f"an object is expected, not a {type(plain).__name__}")
    exchange = from_dict(Exchange, plain)
    if not exchange.id:
        raise InputError("id: it is empty; every exchange has its own")
    return exchange


def _orders(seen: str) -> dict[str, tuple[int, int]]:
    """Read `service:epoch.version,...`.

    Raises:
        InputError: a part has another shape.
    """
    orders: dict[str, tuple[int, int]] = {}
    for part in filter(None, seen.split(",")):
        service, _, order = part.rpartition(":")
        epoch, _, version = order.partition(".")
        if not (service and epoch.isascii() and epoch.isdigit() and version.isascii() and version.isdigit()):
            raise InputError(f"seen: {part!r} is not `service:epoch.version`")
        orders[service] = (int(epoch), int(version))
    return orders
