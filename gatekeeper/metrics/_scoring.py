"""From an exchange to its sample: what every metric file that reads behaviour has to say about it."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from gatekeeper import registry
from gatekeeper.metrics._answer import count, read_answer
from gatekeeper.model.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.metric import Score

BAD_RESPONSE = "bad_response"
_EXTRA = "extra."


def score_exchange(exchange: Exchange) -> tuple[Sample, dict[str, Any]]:
    """Score one exchange: its sample, and the labels that say why.

    An exchange that failed, or whose response is no answer at all, has only `error`: it counts for `error_rate` and
    for nothing else. Pure, deterministic, and never raises on what a model wrote. Under `unscored` the labels name
    each metric that does not apply, with its reason.
    """
    if exchange.error is not None:
        return _failed(exchange, exchange.error.kind or BAD_RESPONSE), {}
    if read_answer(exchange.response) is None:
        return _failed(exchange, BAD_RESPONSE), {}
    values: dict[str, Any] = {}
    extra: dict[str, float | bool | None] = {}
    labels: dict[str, Any] = {}
    unscored: dict[str, str] = {}
    for name, column, score in _scorers():
        found = score(exchange)
        if not column.startswith(_EXTRA):
            values[column] = found.value
        elif found.value is not None:
            extra[column.removeprefix(_EXTRA)] = found.value
        labels.update(found.labels or {})
        if found.value is None:
            unscored[name] = found.reason
    if unscored:
        labels["unscored"] = unscored
    return _answered(exchange, {**values, "extra": extra}), labels


@cache
def _scorers() -> tuple[tuple[str, str, Callable[[Exchange], Score]], ...]:
    """Return (metric, column, score) of each metric file that scores, in the order of their names."""
    modules = [(name, registry.load("metrics", name)) for name in registry.names("metrics")]
    return tuple((name, module.SPEC.columns[0], module.score) for name, module in modules if hasattr(module, "score"))


def _failed(exchange: Exchange, kind: str) -> Sample:
    return Sample(
        request_id=exchange.id,
        ts=exchange.ts,
        arm=exchange.arm,
        pair_id=exchange.pair_id,
        cluster_id=exchange.cluster_id,
        segment=exchange.segment,
        error=kind,
    )


def _answered(exchange: Exchange, values: dict[str, Any]) -> Sample:
    usage = cast("dict[str, Any]", exchange.response).get("usage")
    usage = usage if isinstance(usage, dict) else {}
    timing = exchange.timing
    return Sample(
        request_id=exchange.id,
        ts=exchange.ts,
        arm=exchange.arm,
        pair_id=exchange.pair_id,
        cluster_id=exchange.cluster_id,
        segment=exchange.segment,
        latency_ms=_known(timing.e2e_ms),
        ttft_ms=_known(timing.ttft_ms),
        tpot_ms=_known(timing.tpot_ms),
        prompt_tokens=count(usage, "prompt_tokens", "input_tokens"),
        completion_tokens=count(usage, "completion_tokens", "output_tokens"),
        cost_usd=_known(exchange.cost_usd),
        **values,
    )


def _known(value: float | None) -> float | None:
    """Return a measured number; None for what no clock or price can have said."""
    return value if value is not None and math.isfinite(value) and value >= 0 else None
