"""Checks of the experiment itself: how arms are compared, whether traffic was split as declared, what was left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gatekeeper.decide import drift
from gatekeeper.decide._strata import REST
from gatekeeper.model.finding import Check, Ruling
from gatekeeper.stats import _sample_ratio, _segment_mix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatekeeper.decide.evidence import Evidence
    from gatekeeper.decide.plan import StagePlan

MOST_LOST = 0.001
"""Share of a stage's exchanges that may be missing: it moves a rate by no more than this, whatever they were."""

MUCH = 0.2
"""Share of requests that quantiles leave out in matching from which on it is told."""


def checks_of(layout: StagePlan, evidence: Evidence) -> list[Check]:
    """Return all checks of a stage that asks something."""
    if not layout.streams:
        return []
    found = [_design(layout, evidence)]
    found += _recording(evidence)
    found += _sample_ratio_check(layout, evidence)
    found += _left_out(layout, evidence)
    found += _mix(layout, evidence)
    found += _drift(evidence)
    return found


def _design(layout: StagePlan, evidence: Evidence) -> Check:
    """Say how the arms are compared: chosen by the data's shape."""
    strata = len(evidence.strata)
    if layout.paired:
        text = "paired: both arms answered the same requests, which are compared one by one"
    elif strata > 1:
        more = " (the last holds all later ones)" if REST in evidence.strata else ""
        text = f"stratified: arms are compared within {strata} segments of the traffic{more}, and the findings joined"
    else:
        text = "unpaired: arms answered different requests, compared as a whole"
    if evidence.grouped or evidence.repeats:
        text += "; each user or conversation counts once"
    return Check(name="design", ruling=Ruling.PASS, reason=text)


def _recording(evidence: Evidence) -> Iterator[Check]:
    """Refuse to promote on a stage of which too much was not recorded: what is missing may be what went wrong."""
    if not evidence.lost:
        return
    share = evidence.lost / (evidence.lost + evidence.samples)
    text = f"{evidence.lost} exchanges ({share:.2%}) could not be recorded"
    if share > MOST_LOST:
        told = f"recording is incomplete: {text}, {MOST_LOST:.1%} at most: no promotion on what is left"
        yield Check(name="recording", ruling=Ruling.FAIL, reason=told)
    else:
        yield Check(name="recording", ruling=Ruling.INCONCLUSIVE, reason=text)


def _sample_ratio_check(layout: StagePlan, evidence: Evidence) -> Iterator[Check]:
    """Hold the split against the declared one."""
    if layout.shares is None:
        return
    broken = evidence.ratio_log_e >= -math.log(_sample_ratio.ALPHA)
    a, b = evidence.units
    share = f"{b} of {a + b} units went to the candidate, {layout.shares[1]:.1%} were declared"
    ruling = Ruling.FAIL if broken else Ruling.PASS if a + b else Ruling.INCONCLUSIVE
    yield Check(name="sample_ratio", ruling=ruling, reason=f"assignment is broken: {share}" if broken else share)


def _left_out(layout: StagePlan, evidence: Evidence) -> Iterator[Check]:
    """Tell what does not enter the comparison: halves of pairs, requests of units that were counted, unmatched ones."""
    if layout.paired and evidence.singles:
        text = f"{evidence.singles} samples have no partner in the other arm and were left out"
        yield Check(name="pairs", ruling=Ruling.INCONCLUSIVE, reason=text)
    if evidence.repeats:
        what = "pairs" if layout.paired else "requests"
        text = (
            f"{evidence.repeats} {what} come from users or conversations that an earlier look had counted, and were "
            "left out: answers to one user are not independent; with conversation ids instead of user ids as "
            "cluster_id a decision takes less time"
        )
        yield Check(name="units", ruling=Ruling.PASS, reason=text)
    for name, totals in evidence.matched.items():
        seen, kept = (sum(sum(row) for row in totals[part]) for part in ("seen", "kept"))
        if seen and 1.0 - kept / seen >= MUCH:
            text = f"{name} leaves out {1.0 - kept / seen:.0%} of the requests so that both arms have the same segments"
            yield Check(name="matching", ruling=Ruling.INCONCLUSIVE, reason=text)


def _mix(layout: StagePlan, evidence: Evidence) -> Iterator[Check]:
    """Warn where the arms' mixes of segments differ."""
    if layout.paired or evidence.mix_log_e < -math.log(_segment_mix.ALPHA):
        return
    totals = [max(sum(row[arm] for row in evidence.mix), 1) for arm in (0, 1)]
    shares = [[row[arm] / totals[arm] for arm in (0, 1)] for row in evidence.mix]
    most = max(range(len(shares)), key=lambda place: abs(shares[place][0] - shares[place][1]))
    name = evidence.strata[most] or "no segment"
    text = (
        f"the arms have different mixes of segments ({name}: {shares[most][0]:.1%} of the baseline's, "
        f"{shares[most][1]:.1%} of the candidate's); comparisons are made within segments, so that this alone does not "
        "count against the candidate"
    )
    yield Check(name="segment_mix", ruling=Ruling.INCONCLUSIVE, reason=text)


def _drift(evidence: Evidence) -> Iterator[Check]:
    """Warn where the baseline itself moves."""
    for name, state in evidence.drift.items():
        text = drift.warning(state)
        if text:
            yield Check(name="drift", ruling=Ruling.INCONCLUSIVE, reason=f"{name}: {text}")
