"""A policy becomes a plan: every name known, every question one that its test can answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gatekeeper import registry
from gatekeeper.decide import spend
from gatekeeper.decide._opinions import alone, is_opinion
from gatekeeper.decide.plan import Plan, StagePlan, Stream
from gatekeeper.errors import Fault, PolicyError, UnknownNameError
from gatekeeper.model.metric import MetricKind, MetricSpec
from gatekeeper.model.policy import MarginUnit, StageKind
from gatekeeper.model.split import WHOLE_BP
from gatekeeper.stats import Question

if TYPE_CHECKING:
    from gatekeeper.model.policy import MetricRule, Policy, Stage

__all__ = ["Plan", "compile_policy", "spec_of", "whole"]

DETECT = {MarginUnit.ABSOLUTE: 1.25, MarginUnit.RELATIVE: 2.0}
"""Default for `detect`, in margins: for rates a quarter more than the margin, where harm of twice the margin is still
seen early and harm just beyond it is not missed; for latency and cost, whose margins are tighter beside what goes wrong
with them, twice."""

LEAST_DETECT = {MarginUnit.ABSOLUTE: 0.005, MarginUnit.RELATIVE: 0.05}
"""Smallest default for `detect`: half a percentage point of a rate, 5 % of the baseline's value."""

WATCHED_ALPHA = 0.05
"""Error level of each end of a watched metric's interval."""


def compile_policy(policy: Policy, *, paired: bool = False) -> Plan:
    """Compile a policy.

    paired: how data that belong to no stage are compared; a policy's own stages know (shadow and gate are paired).

    Raises:
        PolicyError: a metric that no file has, a margin that its metric cannot have, budgets out of range, or nothing
            but a language model's opinion to decide by.
    """
    faults = _budget_faults(policy)
    specs: list[MetricSpec] = []
    for rule in policy.metrics:
        try:
            specs.append(spec_of(rule))
        except UnknownNameError as error:
            faults.append(Fault(str(error), f"metrics.{rule.name}"))
        else:
            faults += [Fault(text, f"metrics.{rule.name}") for text in _rule_faults(rule, specs[-1])]
    if why := alone(policy.metrics):
        faults.append(Fault(why, "metrics"))
    if faults:
        raise PolicyError(tuple(faults))
    judged = sum(stage.judged for stage in policy.stages)
    stages = tuple(_stage_plan(policy, stage, specs, max(judged, 1), paired=paired) for stage in policy.stages)
    return Plan(policy=policy, stages=stages or (_stage_plan(policy, None, specs, 1, paired=paired),))


def whole(policy: Policy, *, paired: bool) -> Plan:
    """Compile a policy for recorded data that are judged as one stage, at the error level its stages have each."""
    plan = compile_policy(policy, paired=paired)
    if not policy.stages:
        return plan
    judged = sum(stage.judged for stage in policy.stages)
    specs = [spec_of(rule) for rule in policy.metrics]
    return Plan(policy=policy, stages=(_stage_plan(policy, None, specs, max(judged, 1), paired=paired),))


def spec_of(rule: MetricRule) -> MetricSpec:
    """Return what a rule's metric needs; `extra.NAME` is a number whose direction the margin tells.

    Raises:
        UnknownNameError: no such metric.
    """
    if rule.metric.startswith("extra."):
        return MetricSpec(
            name=rule.metric,
            title=rule.metric.removeprefix("extra."),
            kind=MetricKind.NUMBER,
            columns=(rule.metric,),
            lower_is_better=rule.margin is None or rule.margin.increase,
            unit="",
            by_judge=is_opinion(rule.metric),
        )
    spec: MetricSpec = registry.load("metrics", rule.metric).SPEC
    return spec


def _budget_faults(policy: Policy) -> list[Fault]:
    """Check that there is something to judge and that budgets are probabilities."""
    faults = [] if policy.metrics else [Fault("a policy needs at least one metric", "metrics")]
    for name in ("false_rollback", "false_promotion"):
        value = getattr(policy.error_budget, name)
        if not 0.0 < value < 1.0:
            faults.append(Fault(f"{name} is {value}; expected more than 0 and less than 1", f"error_budget.{name}"))
    return faults


def _rule_faults(rule: MetricRule, spec: MetricSpec) -> list[str]:
    """Check one rule against its metric."""
    faults: list[str] = []
    if rule.quantile is not None and spec.kind is not MetricKind.NUMBER:
        faults.append(f"{spec.name} is a {spec.kind.value}; only a number per request has quantiles")
    if rule.quantile is not None and not 0.0 < rule.quantile < 1.0:
        faults.append(f"quantile {rule.quantile} is out of range; expected more than 0 and less than 1")
    if rule.margin is None and rule.limit is None and not rule.watch:
        faults.append(f"nothing is asked of {rule.name}; give max_increase, max_decrease or limit, or `watch: true`")
    if rule.detect is not None and rule.detect <= 0:
        faults.append(f"detect is {rule.detect}; expected more than 0")
    if rule.limit is not None and spec.kind is MetricKind.RATE and not 0.0 < rule.limit < 1.0:
        faults.append(f"limit {rule.limit} on a rate; expected more than 0 and less than 1 (2% is 0.02)")
    if rule.margin is not None:
        faults += _margin_faults(rule, spec)
    return faults


def _margin_faults(rule: MetricRule, spec: MetricSpec) -> list[str]:
    """Check that a margin points at harm and lies in range."""
    margin = rule.margin
    if margin is None:
        return []
    faults: list[str] = []
    if margin.increase is not spec.lower_is_better:
        right, way = ("max_increase", "lower") if spec.lower_is_better else ("max_decrease", "higher")
        faults.append(f"{spec.name} is better when {way}; bound its harm by {right}")
    if margin.value < 0:
        faults.append(f"margin {margin.value} is negative; expected 0 or more")
    whole_rate = spec.kind is MetricKind.RATE and margin.unit is MarginUnit.ABSOLUTE
    all_of_it = margin.unit is MarginUnit.RELATIVE and not margin.increase
    if (whole_rate or all_of_it) and margin.value >= 1.0:
        faults.append(f"margin {margin.value} allows everything; expected less than 1 (1pp is 0.01, 10% is 0.1)")
    return faults


def _stage_plan(
    policy: Policy, stage: Stage | None, specs: list[MetricSpec], judged: int, *, paired: bool
) -> StagePlan:
    """Lay out one stage; a warm-up asks nothing."""
    if stage is not None and not stage.judged:
        return StagePlan(kind=stage.kind, paired=False, streams=())
    if stage is not None:
        paired = stage.kind in {StageKind.SHADOW, StageKind.GATE}
    asked = [
        (rule, spec, limit)
        for rule, spec in zip(policy.metrics, specs, strict=True)
        for limit in (False, True)
        if (rule.limit if limit else rule.margin) is not None and not rule.watch
    ]
    budgets = spend.shares(policy.error_budget.false_rollback, [rule.critical for rule, _, _ in asked], judged)
    streams = [
        _stream(policy, rule, spec, alpha, limit=limit, paired=paired)
        for (rule, spec, limit), alpha in zip(asked, budgets, strict=True)
    ]
    streams += [
        _watched(rule, spec, paired=paired) for rule, spec in zip(policy.metrics, specs, strict=True) if rule.watch
    ]
    shares = _declared_shares(stage)
    if shares is not None:
        streams = [replace(stream, question=replace(stream.question, share=shares[1])) for stream in streams]
    return StagePlan(
        kind=stage.kind if stage else None,
        paired=paired,
        shares=shares,
        streams=tuple(streams),
    )


def _declared_shares(stage: Stage | None) -> tuple[float, float] | None:
    """Return the split between baseline (or control) and candidate where requests are drawn by lot between them."""
    if stage is None or stage.kind is not StageKind.CANARY or not 0 < stage.weight_bp < WHOLE_BP:
        return None
    if stage.control:
        return (0.5, 0.5)
    candidate = stage.weight_bp / WHOLE_BP
    return (1.0 - candidate, candidate)


def _stream(policy: Policy, rule: MetricRule, spec: MetricSpec, alpha: float, *, limit: bool, paired: bool) -> Stream:
    """Ask whether a metric holds its margin, or its limit."""
    segments = alpha * spend.SEGMENTS_SHARE if policy.segments else 0.0
    question = Question(
        margin=None if limit or rule.margin is None else rule.margin.value,
        relative=not limit and rule.margin is not None and rule.margin.unit is MarginUnit.RELATIVE,
        increase=spec.lower_is_better,
        detect=_detect(rule, spec),
        proof_margin=_proof_margin(rule),
        quantile=rule.quantile,
        limit=rule.limit if limit else None,
        alpha_rollback=alpha - segments,
        alpha_promotion=policy.error_budget.false_promotion * _promotion_share(rule),
    )
    test = _test(rule, spec, paired=paired, limit=limit)
    name = f"{rule.name} limit" if limit else rule.name
    return Stream(name=name, rule=rule, spec=spec, test=test, question=question, judged=True, alpha_segments=segments)


def _watched(rule: MetricRule, spec: MetricSpec, *, paired: bool) -> Stream:
    """Show a metric with an interval, and ask nothing."""
    relative = spec.kind is not MetricKind.RATE
    question = Question(
        margin=None,
        relative=relative,
        increase=spec.lower_is_better,
        detect=0.1 if relative else 0.02,
        quantile=rule.quantile,
        alpha_rollback=WATCHED_ALPHA,
        alpha_promotion=WATCHED_ALPHA,
    )
    test = _test(rule, spec, paired=paired, limit=False)
    return Stream(name=rule.name, rule=rule, spec=spec, test=test, question=question, judged=False)


def _detect(rule: MetricRule, spec: MetricSpec) -> float:
    """Return the harm beyond the margin worth seeing fastest: declared, or a multiple of the margin."""
    if rule.detect is not None:
        return rule.detect
    if rule.margin is None:
        return 0.1
    if spec.kind is not MetricKind.RATE and rule.margin.unit is MarginUnit.ABSOLUTE:
        return rule.margin.value or 1.0
    return max(rule.margin.value * DETECT[rule.margin.unit], LEAST_DETECT[rule.margin.unit])


def _proof_margin(rule: MetricRule) -> float | None:
    """Return what promotion must prove: the margin; at margin 0 the declared `detect`, without which nothing can."""
    if rule.margin is None:
        return None
    return rule.margin.value or rule.detect


def _promotion_share(rule: MetricRule) -> float:
    """Return what part of `false_promotion` a question may spend: at margin 0 a fifth.

    There the proof is against `detect` itself, the regression that was declared worth catching: a candidate exactly
    that bad must be rolled back, not promoted one time in 1 / `false_promotion`.
    """
    return 1.0 if rule.margin is None or rule.margin.value else spend.EQUALITY_SHARE


def _test(rule: MetricRule, spec: MetricSpec, *, paired: bool, limit: bool) -> str:
    """Choose the test for a kind of metric."""
    if rule.quantile is not None:
        return "quantile_limit" if limit else "paired_minprod" if paired else "minprod"
    if spec.kind is MetricKind.RATE:
        return "rate_limit" if limit else "paired_betting" if paired else "two_proportion_ripr"
    return "mean_limit" if limit else "paired_mean" if paired else "asymptotic_mean"
