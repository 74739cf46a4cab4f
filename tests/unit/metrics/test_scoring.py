"""From exchanges to samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gatekeeper import registry
from gatekeeper.metrics._scoring import score_exchange
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange, Failure, Timing
from gatekeeper.model.wire import sample_to_dict

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., Exchange]


def test_an_answer_has_its_numbers_and_labels(answered: Make):
    exchange = answered(
        "4",
        arm=Arm.CANDIDATE,
        pair_id="p",
        cluster_id="u",
        segment={"workload": "batch"},
        timing=Timing(ttft_ms=5.0, e2e_ms=20.0, tpot_ms=2.5),
        cost_usd=0.001,
        expect=({"type": "exact", "value": "4"},),
    )
    exchange.response["usage"] = {"prompt_tokens": 11, "completion_tokens": 2}
    sample, labels = score_exchange(exchange)
    assert sample_to_dict(sample) == {
        "request_id": "x",
        "ts": 1.0,
        "arm": "candidate",
        "pair_id": "p",
        "cluster_id": "u",
        "segment": {"workload": "batch"},
        "latency_ms": 20.0,
        "ttft_ms": 5.0,
        "tpot_ms": 2.5,
        "prompt_tokens": 11.0,
        "completion_tokens": 2.0,
        "cost_usd": 0.001,
        "refused": False,
        "task_success": True,
        "policy_violation": False,
        "degenerate": False,
        "extra": {"log_length": 0.0},
    }
    assert labels["task"] == [{"type": "exact", "held": True}]
    assert labels["unscored"] == {
        "groundedness": "no context was given",
        "json_validity": "no JSON was asked for",
        "tool_call_validity": "no tool was offered",
    }


@pytest.mark.parametrize("response", [None, {"choices": [{"message": {"content": "half"}}]}])
def test_a_failure_counts_for_errors_and_nothing_else(response: object):
    exchange = Exchange(
        id="x", ts=1.0, arm=Arm.BASELINE, response=response, error=Failure(kind="timeout"), timing=Timing(e2e_ms=9.0)
    )
    sample, labels = score_exchange(exchange)
    assert sample_to_dict(sample) == {"request_id": "x", "ts": 1.0, "arm": "baseline", "error": "timeout"}
    assert labels == {"failure": {"class": "timeout", "cause": "system", "transient": True}}


@pytest.mark.parametrize(
    ("kind", "cause", "transient"),
    [
        ("http_4xx", "user", False),
        ("client_closed", "user", True),
        ("rate_limited", "system", True),
        ("bad_response", "system", False),
        ("of_an_importer", "system", False),
    ],
)
def test_a_failure_has_a_cause_and_may_pass(kind: str, cause: str, transient: bool):  # noqa: FBT001 - a table's column
    _, labels = score_exchange(Exchange(id="x", ts=1.0, arm=Arm.BASELINE, error=Failure(kind=kind)))
    assert labels == {"failure": {"class": kind, "cause": cause, "transient": transient}}


def test_gaps_between_tokens_are_custom_metrics_and_missing_figures_have_reasons():
    exchange = Exchange(
        id="x",
        ts=1.0,
        arm=Arm.BASELINE,
        response={"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]},
        timing=Timing(itl_p50_ms=1.0, itl_p95_ms=2.0, itl_max_ms=3.0),
        unmeasured={"tpot_ms": "the engine sent no token counts"},
    )
    sample, labels = score_exchange(exchange)
    assert sample.extra.items() >= {"itl_p50_ms": 1.0, "itl_p95_ms": 2.0, "itl_max_ms": 3.0}.items()
    assert labels["unscored"]["tpot_ms"] == "the engine sent no token counts"
    assert labels["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "response", [None, {}, {"choices": []}, {"choices": "x"}, {"choices": [None]}, {"choices": [{}]}, {"error": {}}]
)
def test_a_response_that_is_no_answer_is_a_failure(response: object):
    sample, _ = score_exchange(Exchange(id="x", ts=1.0, arm=Arm.BASELINE, response=response))
    assert sample.error == "bad_response"


def test_embeddings_have_times_and_no_behaviour():
    body = {"object": "list", "data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 3}}
    sample, _ = score_exchange(Exchange(id="x", ts=1.0, arm=Arm.BASELINE, response=body, timing=Timing(e2e_ms=2.0)))
    assert sample_to_dict(sample) == {
        "request_id": "x",
        "ts": 1.0,
        "arm": "baseline",
        "latency_ms": 2.0,
        "prompt_tokens": 3.0,
    }


def test_completions_and_responses_are_read_too():
    completion = {"choices": [{"text": "I can't help with that.", "finish_reason": "stop"}]}
    part = {"type": "output_text", "text": "I can't help with that."}
    response = {"output": [{"type": "message", "content": [part]}], "usage": {"output_tokens": 6}}
    for body in (completion, response):
        sample, _ = score_exchange(Exchange(id="x", ts=1.0, arm=Arm.BASELINE, response=body))
        assert sample.refused is True


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_every_metric_that_scores_says_why_when_it_does_not(name: str, answered: Make):
    module = registry.load("metrics", name)
    if not hasattr(module, "score"):
        return
    found = module.score(answered({"content": None}))
    assert found.value is None or isinstance(found.value, (bool, float))
    assert found.value is not None or found.reason
