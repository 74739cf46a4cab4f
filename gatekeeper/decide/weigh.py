"""Evidence becomes a verdict: roll back on any proven regression, promote on every guardrail proven, else hold."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gatekeeper.decide import _at_once, early, size, words
from gatekeeper.decide._opinions import is_opinion
from gatekeeper.decide.checks import checks_of
from gatekeeper.decide.fold import ALL, questions_for, test_named
from gatekeeper.model.finding import ArmValue, Effect, Finding, Report, Ruling, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gatekeeper.decide.evidence import Evidence, Mark, Track
    from gatekeeper.decide.plan import Plan, StagePlan, Stream
    from gatekeeper.model.finding import Check
    from gatekeeper.stats import Picture, Question

JUDGE = "sequential-3"
"""The judge's name and version; the version rises when the same data could be ruled differently."""

ONLY_A_JUDGE = "only a language model says worse, and a judge alone never decides: read the pairs"


def weigh(plan: Plan, stage: int, evidence: Evidence, *, look: int, now_s: float) -> Report:
    """Return a stage's report on the evidence so far.

    look: the caller's number of the look, and now_s its time in unix seconds: they stand in `decided_at` where the
    samples' own times do not tell.
    """
    layout = plan.stages[stage]
    places = {label: place for place, label in enumerate([ALL, *evidence.segments])}
    tracks = [
        (stream, label, track)
        for stream in layout.streams
        for label, track in sorted(evidence.tracks[stream.name].items(), key=lambda item: places[item[0]])
    ]
    findings = _findings(evidence, layout, tracks)
    checks = [*checks_of(layout, evidence), *early.signs(tracks)]
    verdict = _verdict(tracks, checks)
    return Report(
        verdict=verdict,
        judge=JUDGE,
        policy_digest=plan.policy.digest,
        decided_at=_decided_at(verdict, tracks, look=look, now_s=now_s),
        reasons=tuple(_reasons(verdict, layout, findings, tracks, checks)),
        findings=tuple(findings),
        checks=tuple(checks),
    )


def verdict_of(plan: Plan, stage: int, evidence: Evidence) -> VerdictKind:
    """Return the verdict alone, without drawing the intervals."""
    layout = plan.stages[stage]
    tracks = [
        (stream, label, track) for stream in layout.streams for label, track in evidence.tracks[stream.name].items()
    ]
    return _verdict(tracks, checks_of(layout, evidence))


def ruling_of(track: Track) -> Ruling:
    """Rule on one track: a regression once proven stays proven, whatever else was."""
    if track.failed:
        return Ruling.FAIL
    return Ruling.PASS if track.passed else Ruling.INCONCLUSIVE


def _verdict(tracks: Iterable[tuple[Stream, str, Track]], checks: Iterable[Check]) -> VerdictKind:
    """Fold rulings: any segment may stop the candidate, all traffic must be proven on every guardrail.

    What only a language model finds worse holds the candidate, and does not roll it back.
    """
    judged = [(stream, label, ruling_of(track)) for stream, label, track in tracks if stream.judged]
    if any(ruling is Ruling.FAIL and not stream.spec.by_judge for stream, _, ruling in judged):
        return VerdictKind.ROLLBACK
    if any(ruling is Ruling.FAIL for _, _, ruling in judged):
        return VerdictKind.HOLD
    whole = [ruling for _, label, ruling in judged if label == ALL]
    sound = all(check.ruling is not Ruling.FAIL for check in checks)
    if whole and sound and all(ruling is Ruling.PASS for ruling in whole):
        return VerdictKind.PROMOTE
    return VerdictKind.HOLD


def _findings(evidence: Evidence, layout: StagePlan, tracks: Sequence[tuple[Stream, str, Track]]) -> list[Finding]:
    """Describe each stream in each segment; the pictures of a test are drawn at once."""
    questions = questions_for([(stream, label) for stream, label, _ in tracks], evidence.segments)
    groups: dict[str, list[int]] = defaultdict(list)
    for i, (stream, _, _) in enumerate(tracks):
        groups[stream.test].append(i)
    drawn: dict[int, Picture] = {}
    for name, at in groups.items():
        found = _at_once.pictures(test_named(name), [questions[i] for i in at], [tracks[i][2].state for i in at])
        drawn |= zip(at, found, strict=True)
    tellers = {stream.name: words.Teller(stream) for stream in layout.streams}
    return [
        _finding(tellers[stream.name], layout, stream, label, track, question, drawn[i])
        for i, ((stream, label, track), question) in enumerate(zip(tracks, questions, strict=True))
    ]


def _finding(
    teller: words.Teller,
    layout: StagePlan,
    stream: Stream,
    label: str,
    track: Track,
    question: Question,
    picture: Picture,
) -> Finding:
    """Describe one stream in one segment."""
    ruling = ruling_of(track)
    picture = _agreeing(picture, ruling, question)
    segment = None if label == ALL else label
    more = size.more_samples(track, question, picture) if stream.judged and ruling is Ruling.INCONCLUSIVE else None
    return Finding(
        metric=stream.rule.name,
        segment=segment,
        ruling=ruling,
        test=stream.test,
        paired=layout.paired,
        baseline=ArmValue(n=picture.a_n, value=picture.a_value),
        candidate=ArmValue(n=picture.b_n, value=picture.b_value),
        effect=Effect(estimate=picture.estimate, lower=picture.lower, upper=picture.upper, unit=teller.unit),
        margin=question.limit if stream.is_limit else question.margin,
        alpha=question.alpha_rollback if stream.judged else None,
        samples_needed=more,
        reason=teller.reason(ruling, picture, segment, more) + _taken_back(track),
        increase=question.increase,
    )


def _taken_back(track: Track) -> str:
    """Say that a proof was withdrawn; "" where none was."""
    if track.failed or not track.withdrawn:
        return ""
    mark = track.withdrawn
    return f"; it had passed, but evidence of harm has grown since (look {mark.look}, after {mark.samples} samples)"


def _agreeing(picture: Picture, ruling: Ruling, question: Question) -> Picture:
    """Cut the interval at what has been proven: a bound once established holds at every later look."""
    bound = question.limit if question.limit is not None else question.margin
    if bound is None or ruling not in {Ruling.FAIL, Ruling.PASS}:
        return picture
    if ruling is Ruling.PASS and question.limit is None:
        bound = question.proof_margin
    edge = bound if question.increase or question.limit is not None else -(bound or 0.0)
    above = (ruling is Ruling.FAIL) is question.increase
    if above:
        return replace(picture, lower=max(edge or 0.0, -math.inf if picture.lower is None else picture.lower))
    return replace(picture, upper=min(edge or 0.0, math.inf if picture.upper is None else picture.upper))


def _decided_at(
    verdict: VerdictKind, tracks: Iterable[tuple[Stream, str, Track]], *, look: int, now_s: float
) -> dict[str, Any] | None:
    """Return when it was decided: the first regression, or the last guardrail to be proven."""
    if verdict is VerdictKind.HOLD:
        return None
    judged = [(label, track) for stream, label, track in tracks if stream.judged]
    mark: Mark | None
    if verdict is VerdictKind.ROLLBACK:
        failed = [track.failed for stream, _, track in tracks if stream.judged and not stream.spec.by_judge]
        mark = min((mark for mark in failed if mark), key=lambda m: m.samples)
    else:
        mark = max((track.passed for label, track in judged if label == ALL and track.passed), key=lambda m: m.samples)
    return {"look": min(mark.look, look), "samples": mark.samples, "ts": now_s if mark.ts is None else mark.ts}


def _reasons(
    verdict: VerdictKind,
    layout: StagePlan,
    findings: list[Finding],
    tracks: list[tuple[Stream, str, Track]],
    checks: list[Check],
) -> list[str]:
    """Say why, most telling first."""
    judged = [finding for finding, (stream, _, _) in zip(findings, tracks, strict=True) if stream.judged]
    if verdict is VerdictKind.ROLLBACK:
        worse = [finding for finding in judged if finding.ruling is Ruling.FAIL]
        return [finding.reason for finding in sorted(worse, key=lambda one: is_opinion(one.metric))]
    broken = [check.reason for check in checks if check.ruling is Ruling.FAIL]
    if not judged:
        return ["nothing is judged here: every metric is watched", *broken]
    whole = [finding for finding in judged if finding.segment is None]
    opinions = [finding.reason for finding in judged if finding.ruling is Ruling.FAIL]
    if opinions:
        rest = [finding.reason for finding in whole if finding.ruling not in {Ruling.PASS, Ruling.FAIL}]
        return [f"{ONLY_A_JUDGE}: {opinions[0]}", *opinions[1:], *broken, *rest]
    if verdict is VerdictKind.PROMOTE:
        n = sum(finding.candidate.n for finding in whole[:1])
        many = "the one guardrail is" if len(whole) == 1 else f"all {len(whole)} guardrails are"
        kind = "pairs" if layout.paired else "candidate requests"
        return [f"{many} proven within their bounds on {n} {kind}", *(finding.reason for finding in whole)]
    return broken + [finding.reason for finding in whole if finding.ruling is not Ruling.PASS]
