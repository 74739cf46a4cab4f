"""From a capture to an exchange: parsing, timing by token, usage, cost, and what went wrong."""

from __future__ import annotations

import zlib
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import orjson

from gatekeeper.captures.chunks import BadChunks, Chunks
from gatekeeper.captures.coding import KNOWN, unpack
from gatekeeper.captures.fold import Folded, fold
from gatekeeper.captures.shape import as_chat, error_text, unanswered
from gatekeeper.captures.timing import Figures, Seen, measure, output_tokens, usage_count
from gatekeeper.model.exchange import Exchange, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.captures.raw import RawExchange

_NOT_FOLDED = Folded()
_TOO_MANY, _BAD, _SERVER = 429, 400, 500


def unreadable(raw: RawExchange) -> bool:
    """Tell whether an answer that was good as far as it was seen cannot be read whole, told by its head alone.

    That is: longer than is kept, or in a content coding that is not read here.
    """
    if raw.failure is not None or not raw.status or raw.status >= _BAD or raw.lost:
        return False
    return raw.coding not in KNOWN or (raw.cut and not raw.streamed)


def evidence(raw: RawExchange) -> Exchange | None:
    """Return what the store is to keep of a capture: the exchange, or the notice that it was lost.

    None: it was lost, and is evidence for no stage of a rollout.
    """
    if raw.lost:
        return _notice(raw, raw.id, raw.lost)
    exchange = to_exchange(raw)
    if exchange.response is not None or exchange.error is not None:
        return exchange
    return _notice(raw, f"lost/{raw.id}", 1) if raw.rollout_id and raw.stage >= 0 else None


def _notice(raw: RawExchange, name: str, lost: int) -> Exchange:
    return Exchange(
        id=name,
        ts=raw.ts,
        arm=raw.arm,
        service=raw.service,
        rollout_id=raw.rollout_id,
        stage=raw.stage,
        epoch=raw.epoch,
        lost=lost,
    )


def to_exchange(raw: RawExchange) -> Exchange:
    """Build the exchange; what could not be read is None, and a broken answer is a failure, never a guess.

    With neither response nor failure, the answer was good as far as it was seen, but could not be read whole: it is
    longer than is kept, or in a content coding that is not read here.
    """
    request = _object(raw.request)
    plain, failure = _plain(raw)
    data, marks = plain or (b"", ())
    streamed = raw.streamed
    failure = raw.failure or failure or _status_failure(raw, data)
    response: dict[str, Any] | None = None
    folded = _NOT_FOLDED
    if streamed:
        folded = fold(data)
        response = folded.body or None
        if plain is not None:
            failure = failure or _stream_failure(raw, folded)
    elif failure is None and plain is not None and not raw.cut:
        response = _object(data)
        if not response:
            failure = Failure(kind="bad_response", message="the answer's body is no JSON object")
    if failure is None and response is not None and (reason := unanswered(raw.path, response)):
        failure = Failure(kind="bad_response", message=reason)
    response = as_chat(raw.path, response)
    figures = _figures(raw, marks, folded, response, streamed=streamed)
    return Exchange(
        id=raw.id,
        ts=raw.ts,
        arm=raw.arm,
        pair_id=raw.pair_id,
        cluster_id=raw.cluster_id,
        service=raw.service,
        segment=raw.segment,
        request=request,
        response=response,
        error=failure,
        timing=figures.timing,
        expect=raw.expect,
        response_schema=raw.response_schema or _asked_schema(request),
        cost_usd=_cost_usd(raw, response),
        rollout_id=raw.rollout_id,
        stage=raw.stage,
        epoch=raw.epoch,
        streamed=streamed,
        unmeasured=figures.unmeasured,
    )


def _object(data: bytes) -> dict[str, Any]:
    try:
        plain = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return plain if isinstance(plain, dict) else {}


def _plain(raw: RawExchange) -> tuple[tuple[bytes, Sequence[tuple[float, int]]] | None, Failure | None]:
    """Return the body without its codings and the marks in it, None where it is not read here; what is wrong."""
    try:
        pieces = _unchunked(raw.pieces) if raw.chunked else raw.pieces
        marks = list(zip(raw.times, accumulate(map(len, pieces)), strict=True))
        return unpack(raw.coding, pieces, marks, cut=raw.cut or raw.failure is not None), None
    except (zlib.error, BadChunks) as exc:
        what = "is not in chunks" if isinstance(exc, BadChunks) else f"is no {raw.coding}"
        return None, Failure(kind="bad_response", message=f"the answer's body {what}: {exc}")


def _unchunked(pieces: Sequence[bytes]) -> list[bytes]:
    chunks = Chunks()
    return [chunks.feed(piece) for piece in pieces]


def _status_failure(raw: RawExchange, data: bytes) -> Failure | None:
    if not raw.status:
        return Failure(kind="bad_response", message="there was no answer")
    if raw.status < _BAD:
        return None
    kind = "rate_limited" if raw.status == _TOO_MANY else "http_5xx" if raw.status >= _SERVER else "http_4xx"
    return Failure(kind=kind, message=f"{raw.status} {error_text(_object(data))}".strip())


def _stream_failure(raw: RawExchange, folded: Folded) -> Failure | None:
    if folded.error is not None:
        return Failure(kind="stream_broken", message=folded.error[:500])
    if not folded.finished and not raw.cut:
        return Failure(kind="stream_broken", message="the stream ended without a finish_reason or [DONE]")
    if not folded.body and not raw.cut:
        return Failure(kind="bad_response", message="the stream held no answer")
    return None


def _figures(
    raw: RawExchange,
    marks: Sequence[tuple[float, int]],
    folded: Folded,
    response: dict[str, Any] | None,
    *,
    streamed: bool,
) -> Figures:
    choices = (response or {}).get("choices")
    seen = Seen(
        began=raw.began,
        ended=raw.ended,
        streamed=streamed,
        held=raw.held,
        cut=raw.cut,
        marks=marks,
        token_ends=folded.token_ends,
    )
    figures = measure(seen, output_tokens(response), len(choices) if isinstance(choices, list) else 1)
    for name in ("prompt_tokens", "completion_tokens"):
        if response is not None and usage_count(response, name) is None:
            figures.unmeasured[name] = "the engine sent no token counts"
    return figures


def _cost_usd(raw: RawExchange, response: dict[str, Any] | None) -> float | None:
    """Return usage times price (US dollars a million tokens); None where either is not known."""
    if not (raw.prompt_usd or raw.completion_usd):
        return None
    prompt = usage_count(response, "prompt_tokens", "input_tokens")
    completion = usage_count(response, "completion_tokens", "output_tokens")
    if completion is None and raw.path.endswith("/embeddings"):
        completion = 0
    if prompt is None or completion is None:
        return None
    return (prompt * raw.prompt_usd + completion * raw.completion_usd) / 1e6


def _asked_schema(request: dict[str, Any]) -> dict[str, Any] | None:
    wanted: Any = request
    for name in ("response_format", "json_schema", "schema"):
        wanted = wanted.get(name) if isinstance(wanted, dict) else None
    return wanted if isinstance(wanted, dict) else None
