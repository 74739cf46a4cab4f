"""From a capture to an exchange: parsing, timing by token, usage, cost, and what went wrong. Off the request path."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import orjson

from gatekeeper.gateway.fold import Folded, fold
from gatekeeper.gateway.shape import as_chat, error_text
from gatekeeper.model.exchange import Exchange, Failure, Timing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.gateway.capture import Capture

_TOO_MANY, _BAD, _SERVER = 429, 400, 500
_AUTO_WBITS = 47
"""zlib's window bits for 'gzip or zlib, whichever it is'."""


def to_exchange(capture: Capture) -> Exchange:
    """Build the exchange; what could not be read is None, and a broken answer is a failure, never a guess.

    With neither response nor failure, the answer was good as far as it was seen, but could not be read whole: it is
    longer than is kept, or in a content coding that is not read here.
    """
    request = _object(capture.request.body)
    plain = _plain(capture)
    data, marks = plain or (b"", ())
    streamed = _header(capture, b"content-type").lower().startswith("text/event-stream")
    failure = capture.failure or _status_failure(capture, data)
    response: dict[str, Any] | None = None
    folded = Folded()
    if streamed:
        folded = fold(data)
        response = folded.body or None
        if plain is not None:
            failure = failure or _stream_failure(capture, folded)
    elif failure is None and plain is not None and not capture.cut:
        response = _object(data)
        if not response:
            failure = Failure(kind="bad_response", message="the answer's body is no JSON object")
    response = as_chat(capture.request.path, response)
    if failure is None and response is not None and not isinstance(response.get("choices"), list):
        failure = Failure(kind="bad_response", message="the answer has no list of choices")
    return Exchange(
        id=capture.id,
        ts=capture.ts,
        arm=capture.arm,
        pair_id=capture.pair_id,
        cluster_id=capture.labels.cluster_id,
        service=capture.split.service,
        segment=capture.labels.segment,
        request=request,
        response=response,
        error=failure,
        timing=_timing(capture, marks, folded.token_ends, response),
        expect=capture.labels.expect,
        response_schema=capture.labels.response_schema or _asked_schema(request),
        cost_usd=_cost_usd(capture, response),
        rollout_id=capture.split.rollout_id,
        stage=capture.stage,
        epoch=capture.split.epoch,
        streamed=streamed,
    )


def _object(data: bytes) -> dict[str, Any]:
    try:
        plain = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return plain if isinstance(plain, dict) else {}


def _header(capture: Capture, name: bytes) -> str:
    headers = capture.head.headers if capture.head is not None else ()
    return next((value.decode("latin-1").strip() for sent, value in headers if sent.lower() == name), "")


def _plain(capture: Capture) -> tuple[bytes, Sequence[tuple[float, int]]] | None:
    """Return the body without its content coding, and the marks in it; None when it is in a coding not read here."""
    coding = _header(capture, b"content-encoding").lower()
    if coding in ("", "identity"):
        return b"".join(capture.pieces), capture.marks
    if coding not in ("gzip", "x-gzip", "deflate"):
        return None
    unpack = zlib.decompressobj(_AUTO_WBITS)
    plain = bytearray()
    marks: list[tuple[float, int]] = []
    try:
        for piece, (at, _) in zip(capture.pieces, capture.marks, strict=True):
            plain += unpack.decompress(piece)
            marks.append((at, len(plain)))
    except zlib.error:
        return None
    return bytes(plain), marks


def _status_failure(capture: Capture, data: bytes) -> Failure | None:
    if capture.head is None:
        return Failure(kind="bad_response", message="there was no answer")
    status = capture.head.status
    if status < _BAD:
        return None
    kind = "rate_limited" if status == _TOO_MANY else "http_5xx" if status >= _SERVER else "http_4xx"
    return Failure(kind=kind, message=f"{status} {error_text(_object(data))}".strip())


def _stream_failure(capture: Capture, folded: Folded) -> Failure | None:
    if folded.error is not None:
        return Failure(kind="stream_broken", message=folded.error[:500])
    if not folded.finished and not capture.cut:
        return Failure(kind="stream_broken", message="the stream ended without a finish_reason or [DONE]")
    if not folded.body and not capture.cut:
        return Failure(kind="bad_response", message="the stream held no answer")
    return None


def _timing(
    capture: Capture,
    marks: Sequence[tuple[float, int]],
    token_ends: Sequence[int],
    response: dict[str, Any] | None,
) -> Timing:
    """Find when each token came: with the read in which its event was whole."""
    times: list[float] = []
    place = 0
    for end in token_ends:
        while place < len(marks) and marks[place][1] < end:
            place += 1
        if place < len(marks):
            times.append(marks[place][0])
    tokens = _usage(response, "completion_tokens", "output_tokens") or len(times)
    return Timing(
        ttft_ms=(times[0] - capture.began) * 1000 if times else None,
        e2e_ms=(capture.ended - capture.began) * 1000 if capture.ended is not None else None,
        tpot_ms=(times[-1] - times[0]) * 1000 / (tokens - 1) if len(times) > 1 and tokens > 1 else None,
    )


def _usage(response: dict[str, Any] | None, *names: str) -> int | None:
    usage = (response or {}).get("usage")
    found = [usage.get(name) for name in names] if isinstance(usage, dict) else []
    return next((count for count in found if isinstance(count, int)), None)


def _cost_usd(capture: Capture, response: dict[str, Any] | None) -> float | None:
    """Return usage times price (US dollars a million tokens); None where either is not known."""
    endpoint = capture.endpoint
    prompt = _usage(response, "prompt_tokens", "input_tokens")
    completion = _usage(response, "completion_tokens", "output_tokens")
    if not (endpoint.prompt_usd or endpoint.completion_usd) or prompt is None or completion is None:
        return None
    return (prompt * endpoint.prompt_usd + completion * endpoint.completion_usd) / 1e6


def _asked_schema(request: dict[str, Any]) -> dict[str, Any] | None:
    wanted: Any = request
    for name in ("response_format", "json_schema", "schema"):
        wanted = wanted.get(name) if isinstance(wanted, dict) else None
    return wanted if isinstance(wanted, dict) else None
