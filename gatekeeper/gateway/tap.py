"""From a capture to an exchange: parsing, timing by token, usage, cost, and what went wrong. Off the request path."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import orjson

from gatekeeper.gateway.coding import unpack
from gatekeeper.gateway.fold import Folded, fold
from gatekeeper.gateway.shape import as_chat, error_text, unanswered
from gatekeeper.gateway.timing import Figures, Seen, measure, output_tokens, usage_count
from gatekeeper.model.exchange import Exchange, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.gateway.capture import Capture

_NOT_FOLDED = Folded()
_TOO_MANY, _BAD, _SERVER = 429, 400, 500


def to_exchange(capture: Capture) -> Exchange:
    """Build the exchange; what could not be read is None, and a broken answer is a failure, never a guess.

    With neither response nor failure, the answer was good as far as it was seen, but could not be read whole: it is
    longer than is kept, or in a content coding that is not read here.
    """
    request = _object(capture.request.body)
    plain, failure = _plain(capture)
    data, marks = plain or (b"", ())
    streamed = capture.head is not None and capture.head.content_type.startswith("text/event-stream")
    failure = capture.failure or failure or _status_failure(capture, data)
    response: dict[str, Any] | None = None
    folded = _NOT_FOLDED
    if streamed:
        folded = fold(data)
        response = folded.body or None
        if plain is not None:
            failure = failure or _stream_failure(capture, folded)
    elif failure is None and plain is not None and not capture.cut:
        response = _object(data)
        if not response:
            failure = Failure(kind="bad_response", message="the answer's body is no JSON object")
    if failure is None and response is not None and (reason := unanswered(capture.request.path, response)):
        failure = Failure(kind="bad_response", message=reason)
    response = as_chat(capture.request.path, response)
    figures = _figures(capture, marks, folded, response, streamed=streamed)
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
        timing=figures.timing,
        expect=capture.labels.expect,
        response_schema=capture.labels.response_schema or _asked_schema(request),
        cost_usd=_cost_usd(capture, response),
        rollout_id=capture.split.rollout_id,
        stage=capture.stage,
        epoch=capture.split.epoch,
        streamed=streamed,
        unmeasured=figures.unmeasured,
    )


def _object(data: bytes) -> dict[str, Any]:
    try:
        plain = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return plain if isinstance(plain, dict) else {}


def _plain(capture: Capture) -> tuple[tuple[bytes, Sequence[tuple[float, int]]] | None, Failure | None]:
    """Return the body without its content coding and the marks in it, None where it is not read here; what is wrong."""
    coding = capture.head.coding if capture.head is not None else ""
    try:
        cut = capture.cut or capture.failure is not None
        return unpack(coding, capture.pieces, capture.marks, cut=cut), None
    except zlib.error as exc:
        return None, Failure(kind="bad_response", message=f"the answer's body is no {coding}: {exc}")


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


def _figures(
    capture: Capture,
    marks: Sequence[tuple[float, int]],
    folded: Folded,
    response: dict[str, Any] | None,
    *,
    streamed: bool,
) -> Figures:
    choices = (response or {}).get("choices")
    seen = Seen(
        began=capture.began,
        ended=capture.ended,
        streamed=streamed,
        held=capture.held,
        cut=capture.cut,
        marks=marks,
        token_ends=folded.token_ends,
    )
    figures = measure(seen, output_tokens(response), len(choices) if isinstance(choices, list) else 1)
    for name in ("prompt_tokens", "completion_tokens"):
        if response is not None and usage_count(response, name) is None:
            figures.unmeasured[name] = "the engine sent no token counts"
    return figures


def _cost_usd(capture: Capture, response: dict[str, Any] | None) -> float | None:
    """Return usage times price (US dollars a million tokens); None where either is not known."""
    endpoint = capture.endpoint
    if not (endpoint.prompt_usd or endpoint.completion_usd):
        return None
    prompt = usage_count(response, "prompt_tokens", "input_tokens")
    completion = usage_count(response, "completion_tokens", "output_tokens")
    if completion is None and capture.request.path.endswith("/embeddings"):
        completion = 0
    if prompt is None or completion is None:
        return None
    return (prompt * endpoint.prompt_usd + completion * endpoint.completion_usd) / 1e6


def _asked_schema(request: dict[str, Any]) -> dict[str, Any] | None:
    wanted: Any = request
    for name in ("response_format", "json_schema", "schema"):
        wanted = wanted.get(name) if isinstance(wanted, dict) else None
    return wanted if isinstance(wanted, dict) else None
