"""What gateways call: exchanges in, splits out."""

import hashlib
import logging
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import msgspec
import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from gatekeeper.api.caller import INGEST, TheApp
from gatekeeper.captures.frames import MEDIA_TYPE, read_frame, split_frames
from gatekeeper.captures.tap import evidence
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

    A gateway sends what it captured, as `application/vnd.gatekeeper.captures`, which is read here. A line (a capture)
    that cannot be understood is refused, counted and named, and holds back none of the others: sent again it would be
    no better.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    captured = kind == MEDIA_TYPE
    exchanges, refused = _read(split_frames(body), _captured) if captured else _read(body.split(b"\n"), _exchange)
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


def _read(
    parts: Iterable[bytes], read: Callable[[bytes], Exchange | None]
) -> tuple[list[Exchange], list[dict[str, Any]]]:
    """Read each part that is not blank; return the exchanges, and what was refused, by number (from 1).

    Raises:
        InputError: the parts cannot be told apart.
    """
    exchanges: list[Exchange] = []
    refused: list[dict[str, Any]] = []
    for number, part in enumerate(parts, start=1):
        if not part.strip():
            continue
        try:
            exchange = read(part)
        except (InputError, msgspec.DecodeError, RecursionError) as exc:
            refused.append({"line": number, "message": str(exc)})
        else:
            if exchange is not None:
                exchanges.append(exchange)
    return exchanges, refused


def _captured(frame: bytes) -> Exchange | None:
    """Read a capture; None: it was lost, and was evidence for nothing."""
    raw = read_frame(frame)
    try:
        return _named(evidence(raw))
    except (ValueError, TypeError, AttributeError, KeyError) as exc:
        raise InputError(f"{raw.id}: the exchange cannot be read: {exc!r}") from exc


def _exchange(line: bytes) -> Exchange | None:
    plain = msgspec.json.decode(line)
    if not isinstance(plain, dict):
        raise InputError(f"an object is expected, not a {type(plain).__name__}")
    return _named(from_dict(Exchange, plain))


def _named(exchange: Exchange | None) -> Exchange | None:
    if exchange is not None and not exchange.id:
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
