"""From an exchange to its sample: what every metric file that reads behaviour has to say about it."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from gatekeeper import registry
from gatekeeper.metrics._answer import count, read_answer
from gatekeeper.model.exchange import Failure
from gatekeeper.model.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.metric import Score

BAD_RESPONSE = "bad_response"
_EXTRA = "extra."
_REASON_CHARACTERS = 40


def score_exchange(exchange: Exchange) -> tuple[Sample, dict[str, Any]]:
    """Score one exchange: its sample, and the labels that say why.

    An exchange that failed, or whose response is no answer at all, has only `error`: it counts for `error_rate` and
    for nothing else; its labels hold `failure {class, cause, transient}`. A notice of lost exchanges is passed on as
    one. Pure, deterministic, and never raises on what a model wrote. Under `unscored` the labels name each metric that
    does not apply, with its reason.
    """
    if exchange.lost:
        return Sample(request_id=exchange.id, ts=exchange.ts, arm=exchange.arm, lost=exchange.lost), {}
    failure = exchange.error
    answer = read_answer(exchange.response)
    if failure is None and answer is None:
        failure = Failure(kind=BAD_RESPONSE)
    if failure is not None:
        kind = failure.kind or BAD_RESPONSE
        told = {"class": kind, "cause": failure.cause, "transient": failure.transient}
        return _failed(exchange, kind), {"failure": told}
    values: dict[str, Any] = {}
    extra: dict[str, float | bool | None] = {}
    labels: dict[str, Any] = {}
    unscored: dict[str, str] = dict(exchange.unmeasured)
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
    if answer is not None and answer.finish_reason:
        labels["finish_reason"] = answer.finish_reason[:_REASON_CHARACTERS]
    timing = exchange.timing
    gaps = {"itl_p50_ms": timing.itl_p50_ms, "itl_p95_ms": timing.itl_p95_ms, "itl_max_ms": timing.itl_max_ms}
    extra |= {name: gap for name, gap in gaps.items() if _known(gap) is not None}
    return _answered(exchange, {**values, "extra": extra}), labels


def with_own(sample: Sample, labels: dict[str, Any], found: Mapping[str, Score]) -> tuple[Sample, dict[str, Any]]:
    """Return a sample and its labels with what users' own scorers found, each in `extra` under its name."""
    valued = {name: score for name, score in found.items() if score.value is not None}
    unscored = {f"{_EXTRA}{name}": score.reason for name, score in found.items() if name not in valued}
    told = {f"{_EXTRA}{name}": score.reason for name, score in valued.items() if score.reason}
    if unscored:
        labels = {**labels, "unscored": {**labels.get("unscored", {}), **unscored}}
    if told:
        labels = {**labels, "own": told}
    return replace(sample, extra={**sample.extra, **{name: score.value for name, score in valued.items()}}), labels


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
