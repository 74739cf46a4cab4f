"""The pairs that say most: where the candidate did what it should not, and the baseline did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper import registry
from gatekeeper.metrics._answer import prompt_text, read_answer
from gatekeeper.model.arm import Arm
from gatekeeper.model.gate import TellingPair
from gatekeeper.model.metric import MetricKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.finding import Finding
    from gatekeeper.model.metric import MetricSpec
    from gatekeeper.model.sample import Sample

    Scored = tuple[Exchange, Sample]

MOST = 3
MOST_A_METRIC = 2
MOST_CHARS = 600


def telling_pairs(findings: Sequence[Finding], scored: Sequence[Scored]) -> tuple[TellingPair, ...]:
    """Return up to MOST pairs, those of the worst ruled metric first; each sample is shown once."""
    pairs: dict[str, dict[Arm, Scored]] = {}
    for exchange, sample in scored:
        pairs.setdefault(exchange.pair_id or exchange.id, {})[exchange.arm] = (exchange, sample)
    whole = [pair for pair in pairs.values() if len(pair) == len({Arm.BASELINE, Arm.CANDIDATE})]
    shown: dict[str, TellingPair] = {}
    for spec in _rates(findings):
        worse = [pair for pair in whole if _is_worse(spec, pair)]
        fresh = [pair for pair in worse if pair[Arm.BASELINE][0].pair_id not in shown]
        for pair in fresh[: min(MOST_A_METRIC, MOST - len(shown))]:
            told = _tell(spec.name, pair)
            shown[told.sample] = told
    return tuple(shown.values())


def _rates(findings: Sequence[Finding]) -> Iterator[MetricSpec]:
    """Yield each rate that was judged, the worst ruled first."""
    ordered = sorted(findings, key=lambda finding: -finding.ruling.severity)
    for name in dict.fromkeys(finding.metric for finding in ordered):
        if name in registry.names("metrics"):
            spec: MetricSpec = registry.load("metrics", name).SPEC
            if spec.kind is MetricKind.RATE and not spec.on_errors:
                yield spec


def _is_worse(spec: MetricSpec, pair: dict[Arm, Scored]) -> bool:
    values = [_value(spec, pair[arm][1]) for arm in (Arm.BASELINE, Arm.CANDIDATE)]
    return values == ([False, True] if spec.lower_is_better else [True, False])


def _value(spec: MetricSpec, sample: Sample) -> Any:  # noqa: ANN401 - a bool, a number or None, as the column has it
    column = spec.columns[0]
    if column.startswith("extra."):
        return sample.extra.get(column.removeprefix("extra."))
    return getattr(sample, column)


def _tell(metric: str, pair: dict[Arm, Scored]) -> TellingPair:
    baseline, candidate = pair[Arm.BASELINE][0], pair[Arm.CANDIDATE][0]
    asked = prompt_text({"messages": list(baseline.request.get("messages", ()))[-1:]})
    return TellingPair(
        metric=metric,
        sample=baseline.pair_id or baseline.id,
        prompt=asked[:MOST_CHARS],
        baseline=_said(baseline),
        candidate=_said(candidate),
    )


def _said(exchange: Exchange) -> str:
    """Return an answer's words, and its tool calls as they came."""
    answer = read_answer(exchange.response)
    if answer is None:
        return ""
    calls = "\n".join(str(call) for call in answer.tool_calls)
    return "\n".join(part for part in (answer.text or answer.refusal or "", calls) if part)[:MOST_CHARS]
