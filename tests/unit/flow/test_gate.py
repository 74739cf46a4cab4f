"""The gate against arms that are plain functions."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from gatekeeper.errors import EngineError, InputError
from gatekeeper.flow._asking import ask_all, unanswered
from gatekeeper.flow.gate import Asking, Past, at_gate, gate, judge, judges_time
from gatekeeper.model.arm import Arm
from gatekeeper.model.evalset import EvalSample, Evalset
from gatekeeper.model.exchange import Exchange, Failure, Timing
from gatekeeper.model.finding import Ruling, VerdictKind
from gatekeeper.model.policy import Margin, MarginUnit, MetricRule, Policy, Stage, StageKind
from gatekeeper.model.reply import Reply

if TYPE_CHECKING:
    from gatekeeper.flow._asking import Ask
    from gatekeeper.model.answer import Answer

REFUSAL = "I'm sorry, but I can't help with that."


def _evalset(size: int) -> Evalset:
    samples = tuple(EvalSample(id=f"s{n}", input=({"role": "user", "content": f"q{n}"},)) for n in range(size))
    return Evalset(name="small", digest="d" * 64, samples=samples, sampling={"temperature": 0, "seed": 7})


def _policy(*stages: Stage) -> Policy:
    margin = Margin(value=0.02, unit=MarginUnit.ABSOLUTE, increase=True)
    return Policy(
        name="p", metrics=(MetricRule(name="refusal_rate", metric="refusal_rate", margin=margin),), stages=stages
    )


def _reply(text: str) -> Reply:
    message = {"role": "assistant", "content": text}
    return Reply(response={"choices": [{"message": message, "finish_reason": "stop"}]})


async def _sure(_body: dict[str, Any]) -> Reply:
    return _reply("Sure: stir well.")


async def _often_refuses(body: dict[str, Any]) -> Reply:
    return _reply(REFUSAL if int(body["messages"][0]["content"][1:]) % 4 == 0 else "Sure.")


def _failing(kind: str, every: int) -> Ask:
    calls = Counter[str]()

    async def ask(_body: dict[str, Any]) -> Reply:
        calls["all"] += 1
        failed = calls["all"] % every == 0
        return Reply(error=Failure(kind=kind, message="broken")) if failed else _reply("Sure.")

    return ask


def _asking(candidate: Ask, **fields: Any) -> Asking:  # noqa: ANN401 - any field
    ticks = iter(range(10**9))
    return Asking(ask={Arm.BASELINE: _sure, Arm.CANDIDATE: candidate}, now=lambda: float(next(ticks)), **fields)


def test_equal_arms_are_promoted():
    report = asyncio.run(gate(_policy(), _evalset(400), _asking(_sure)))
    assert report.verdict is VerdictKind.PROMOTE
    (finding,) = report.findings
    assert (finding.paired, finding.baseline.n, finding.ruling) == (True, 400, Ruling.PASS)
    assert report.checks[-1].reason == "small sha256:dddddddddddd, 400 pairs of 400 samples, 0 requests failed"


def test_over_refusing_is_rolled_back():
    report = asyncio.run(gate(_policy(), _evalset(400), _asking(_often_refuses)))
    assert report.verdict is VerdictKind.ROLLBACK
    assert "refusal_rate" in report.reasons[0]


def test_too_few_samples_prove_nothing_and_say_how_many_are_missing():
    report = asyncio.run(gate(_policy(), _evalset(50), _asking(_sure)))
    assert report.verdict is VerdictKind.HOLD
    assert (report.findings[0].samples_needed or 0) > 0
    assert 100 < (report.samples_missing or 0) < 250
    assert report.checks[-1].reason.startswith(f"about {report.samples_missing} more samples")
    more = asyncio.run(gate(_policy(), _evalset(50 + (report.samples_missing or 0)), _asking(_sure)))
    assert (more.verdict, more.samples_missing) == (VerdictKind.PROMOTE, None)


def test_samples_that_can_never_decide_are_not_counted_as_missing():
    margin = Margin(value=0.02, unit=MarginUnit.ABSOLUTE, increase=False)
    rule = MetricRule(name="json_validity", metric="json_validity", margin=margin)
    report = asyncio.run(gate(Policy(name="p", metrics=(rule,)), _evalset(50), _asking(_sure)))
    assert (report.verdict, report.samples_missing) == (VerdictKind.HOLD, None)
    assert report.checks[-1].reason.startswith("no number of samples")


def test_the_worst_pairs_are_shown():
    report = asyncio.run(gate(_policy(), _evalset(400), _asking(_often_refuses)))
    assert [(pair.metric, pair.sample) for pair in report.pairs] == [("refusal_rate", "s0"), ("refusal_rate", "s4")]
    assert (report.pairs[0].prompt, report.pairs[0].candidate) == ("q0", REFUSAL)
    assert asyncio.run(gate(_policy(), _evalset(400), _asking(_sure))).pairs == ()


def test_what_is_known_is_not_asked_again():
    evalset = _evalset(40)
    answers: list[Answer] = []
    first = asyncio.run(
        ask_all(evalset, _asking(_sure, repeats=2, seen=lambda answer, known: known or answers.append(answer)))
    )
    half = {answer.key: answer for answer in answers[:80]}
    fresh: list[Answer] = []
    asking = _asking(_sure, repeats=2, known=half, seen=lambda answer, known: known or fresh.append(answer))
    again = asyncio.run(ask_all(evalset, asking))
    assert {answer.key for answer in fresh} == {answer.key for answer in answers[80:]}
    assert [exchange.id for exchange in again] == [exchange.id for exchange in first]
    assert unanswered(evalset, 2, Arm.BASELINE, half) + unanswered(evalset, 2, Arm.CANDIDATE, half) == 80


def test_an_answer_to_another_request_is_not_known():
    answers: list[Answer] = []
    asyncio.run(ask_all(_evalset(5), _asking(_sure, seen=lambda answer, _: answers.append(answer))))
    known = {answer.key: answer for answer in answers}
    assert unanswered(_evalset(5), 1, Arm.BASELINE, known) == 0
    warmer = replace(_evalset(5), sampling={"temperature": 1, "seed": 7})
    assert unanswered(warmer, 1, Arm.BASELINE, known) == 5
    other = replace(_evalset(5), digest="e" * 64)
    assert unanswered(other, 1, Arm.BASELINE, known) == 5


def test_a_recorded_baseline_is_paired_and_its_times_are_not_compared():
    policy = replace(_policy(), metrics=(*_policy().metrics, MetricRule(name="tpot_ms", metric="tpot_ms", watch=True)))

    async def timed(body: dict[str, Any]) -> Reply:
        return replace(await _sure(body), timing=Timing(ttft_ms=1.0, e2e_ms=9.0, tpot_ms=2.0))

    asking = Asking(ask={Arm.BASELINE: timed, Arm.CANDIDATE: timed}, now=lambda: 7e8)
    exchanges = asyncio.run(ask_all(_evalset(400), asking))
    old = [structs.replace(one, ts=1e8) if one.arm is Arm.BASELINE else one for one in exchanges]
    report = judge(policy, _evalset(400), old, Past(source="release 41", age_s=7200))
    assert report.verdict is VerdictKind.PROMOTE
    counts = {finding.metric: (finding.baseline.n, finding.paired) for finding in report.findings}
    assert counts == {"refusal_rate": (400, True), "tpot_ms": (0, True)}
    assert report.checks[-1].reason == "answered 2.0 h ago (release 41); its times are not compared"


def test_a_policy_that_compares_times_needs_both_arms_at_once():
    margin = Margin(value=0.1, unit=MarginUnit.RELATIVE, increase=True)
    rule = MetricRule(name="ttft_ms.p95", metric="ttft_ms", quantile=0.95, margin=margin)
    assert judges_time(Policy(name="p", metrics=(rule,)))
    assert not judges_time(Policy(name="p", metrics=(replace(rule, margin=None, limit=900.0),)))
    assert not judges_time(_policy())


def test_both_arms_get_the_same_requests_in_pairs():
    exchanges = asyncio.run(ask_all(_evalset(10), _asking(_sure, repeats=3, concurrency=4)))
    assert len({exchange.id for exchange in exchanges}) == len(exchanges) == 60
    by_pair: dict[str | None, list[Exchange]] = {}
    for exchange in exchanges:
        by_pair.setdefault(exchange.pair_id, []).append(exchange)
    assert len(by_pair) == 30
    for one, other in by_pair.values():
        assert {one.arm, other.arm} == {Arm.BASELINE, Arm.CANDIDATE}
        assert one.request == other.request
        assert one.cluster_id == other.cluster_id is not None
    assert Counter(exchange.request["seed"] for exchange in exchanges) == {7: 20, 8: 20, 9: 20}
    firsts = Counter(exchanges[index].arm for index in range(0, 60, 2))
    assert firsts == {Arm.BASELINE: 15, Arm.CANDIDATE: 15}


def test_no_more_requests_in_flight_than_asked_for():
    flying = 0
    most = 0

    async def slow(_body: dict[str, Any]) -> Reply:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0)
        flying -= 1
        return _reply("Sure.")

    asking = Asking(ask={Arm.BASELINE: slow, Arm.CANDIDATE: slow}, now=lambda: 0.0, concurrency=3)
    asyncio.run(ask_all(_evalset(30), asking))
    assert most == 3


@pytest.mark.parametrize("kind", ["connect", "timeout", "http_5xx", "stream_broken", "bad_response"])
def test_an_outage_is_no_verdict(kind: str):
    with pytest.raises(EngineError, match=r"candidate: .* requests failed \(" + kind):
        asyncio.run(gate(_policy(), _evalset(100), _asking(_failing(kind, 2))))


def test_a_dead_arm_is_given_up_early():
    seen: list[Exchange] = []
    with pytest.raises(EngineError, match="outage"):
        asyncio.run(
            gate(
                _policy(),
                _evalset(1000),
                _asking(_failing("connect", 1), seen=lambda answer, _: seen.append(answer.exchange)),
            )
        )
    assert len(seen) < 60


def test_refused_requests_are_the_callers_fault():
    with pytest.raises(InputError, match="model's name"):
        asyncio.run(gate(_policy(), _evalset(50), _asking(_failing("http_4xx", 1))))


def test_a_few_failures_are_left_out_and_counted():
    report = asyncio.run(gate(_policy(), _evalset(400), _asking(_failing("timeout", 50))))
    assert report.verdict is VerdictKind.PROMOTE
    assert "8 requests failed" in report.checks[-1].reason


def test_only_a_gate_stage_shares_the_budget_with_later_ones():
    canary = Stage(kind=StageKind.CANARY, weight_bp=100)
    assert at_gate(_policy(canary)).stages == ()
    both = _policy(Stage(kind=StageKind.GATE), canary)
    assert at_gate(both) is both
