"""The gate: what both arms answered, scored and judged in one look."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from msgspec import structs

from gatekeeper.flow._asking import ARMS, Asking, ask_all, unanswered
from gatekeeper.flow._calibrate_words import duration
from gatekeeper.flow._missing import samples_missing
from gatekeeper.flow._telling import telling_pairs
from gatekeeper.flow.analyze import analyze
from gatekeeper.metrics._scoring import score_exchange
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Timing
from gatekeeper.model.finding import Check, Report, Ruling, VerdictKind
from gatekeeper.model.gate import GateReport
from gatekeeper.model.policy import StageKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatekeeper.model.evalset import Evalset
    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.policy import Policy

__all__ = ["Asking", "Past", "at_gate", "gate", "judge", "judges_time", "unanswered"]

TIMES = frozenset({"ttft_ms", "tpot_ms", "latency_ms"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Say which answers were had before this run.

    source: words for where the baseline's come from when all of them were; "" when the baseline is asked now. age_s:
    seconds since the oldest of them. resumed: requests that an unfinished run had already finished. resumed_age_s:
    seconds since the oldest of those.
    """

    source: str = ""
    age_s: float = 0.0
    resumed: int = 0
    resumed_age_s: float = 0.0


async def gate(policy: Policy, evalset: Evalset, asking: Asking, past: Past | None = None) -> GateReport:
    """Ask both arms the whole evalset and rule on what they answered.

    Raises:
        EngineError: an arm is out of order, which says nothing about its release.
        InputError: an arm refuses most requests as wrong.
    """
    return judge(policy, evalset, await ask_all(evalset, asking), past)


def judge(policy: Policy, evalset: Evalset, exchanges: Sequence[Exchange], past: Past | None = None) -> GateReport:
    """Score the exchanges, in the order in which they were asked, and rule on them in one look, paired by sample."""
    had = past or Past()
    seen = _beside_now(exchanges) if had.source else exchanges
    scored = [(exchange, score_exchange(exchange)[0]) for exchange in seen]
    rows = [sample for _, sample in scored]
    ruled_by = at_gate(policy)
    report = analyze(rows, ruled_by)
    held = report.verdict is VerdictKind.HOLD and rows
    missing = samples_missing(rows, ruled_by, len(evalset.samples)) if held else None
    checks = (*report.checks, _evalset_check(evalset, exchanges), *_past_checks(had), *_missing_check(report, missing))
    own = {field.name: getattr(report, field.name) for field in fields(report)} | {"checks": checks}
    return GateReport(**own, samples_missing=missing, pairs=telling_pairs(report.findings, scored))


def at_gate(policy: Policy) -> Policy:
    """Return the policy that is judged by here: with its stages, of which the gate has its share of the error budget.

    Where no stage is a gate there is no later look to share with, and the gate has the whole budget.
    """
    return policy if any(stage.kind is StageKind.GATE for stage in policy.stages) else replace(policy, stages=())


def judges_time(policy: Policy) -> bool:
    """Tell whether a policy compares times between the arms, for which both must be asked side by side."""
    return any(rule.metric in TIMES and rule.margin is not None for rule in policy.metrics)


def _beside_now(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the exchanges with a recorded baseline's times taken away: they were measured under another load.

    Its halves of pairs are placed where the candidate's are.
    """
    asked_ts = {exchange.pair_id: exchange.ts for exchange in exchanges if exchange.arm is Arm.CANDIDATE}
    return [
        structs.replace(exchange, ts=asked_ts.get(exchange.pair_id, exchange.ts), timing=Timing())
        if exchange.arm is Arm.BASELINE
        else exchange
        for exchange in exchanges
    ]


def _evalset_check(evalset: Evalset, exchanges: Sequence[Exchange]) -> Check:
    """Record what was asked: results under another digest are not comparable."""
    failed = sum(exchange.error is not None for exchange in exchanges)
    asked = f"{len(exchanges) // len(ARMS):,} pairs of {len(evalset.samples):,} samples, {failed} requests failed"
    return Check(name="evalset", ruling=Ruling.PASS, reason=f"{evalset.name} sha256:{evalset.digest[:12]}, {asked}")


def _past_checks(past: Past) -> Iterator[Check]:
    """Say which answers are not of this run, and how old they are."""
    if past.source:
        text = f"answered {duration(past.age_s)} ago ({past.source}); its times are not compared"
        yield Check(name="baseline", ruling=Ruling.PASS, reason=text)
    if past.resumed:
        text = (
            f"{past.resumed:,} requests had been finished by a run that broke off, {duration(past.resumed_age_s)} ago"
        )
        yield Check(name="resumed", ruling=Ruling.PASS, reason=text)


def _missing_check(report: Report, missing: int | None) -> Iterator[Check]:
    """Say how many samples are missing, where some are."""
    if report.verdict is VerdictKind.HOLD:
        told = f"about {missing:,} more samples that are answered like these would decide" if missing else ""
        text = told or "no number of samples that are answered like these would decide: see what each metric says"
        yield Check(name="samples", ruling=Ruling.INCONCLUSIVE, reason=text)
