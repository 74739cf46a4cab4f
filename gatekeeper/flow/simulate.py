"""A policy on synthetic traffic whose truth is known, judged look by look by the real judge.

Replicates are judged side by side, as copies of the policy's questions on columns of their own. The sample-ratio check
is left out, and metrics are drawn independently of each other: false alarms then add up, which is the worst case.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.decide import power
from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.fold import begin, fold_columns
from gatekeeper.decide.plan import Plan, StagePlan
from gatekeeper.errors import InputError
from gatekeeper.flow import _measures
from gatekeeper.flow._measures import MetricMeasure, Simulation, StageMeasure
from gatekeeper.flow._traffic import Source, copied, harm_at, window
from gatekeeper.flow._typical import typicals
from gatekeeper.flow.plan import StageForecast, forecast, setting_of
from gatekeeper.model.policy import StageKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.random import Generator

    from gatekeeper.decide.columns import Columns
    from gatekeeper.decide.evidence import Evidence
    from gatekeeper.decide.plan import Stream
    from gatekeeper.decide.power import Setting, Typical
    from gatekeeper.model.policy import Policy

SCENARIOS = ("equal", "margin", "beyond")
FIRST_LOOK = 60
LOOKS_GROW = 0.15
"""Looks come after 60 samples and each time 15 % more have come: as often as matters, for what it costs."""

MOST_SAMPLES = 100_000
PATIENCE = 3.0
"""Without a deadline, traffic ends at so many times what nine in ten equal candidates need."""

SIDE_BY_SIDE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ends:
    """Hold when each replicate was decided (samples, inf: never), and how: whole verdicts, and by question."""

    rolled_back: list[float]
    promoted: list[float]
    failed: dict[str, list[float]]
    passed: dict[str, list[float]]


def simulate(
    policy: Policy,
    *,
    rps: float = 5.0,
    rates: Mapping[str, tuple[float, float | None]] | None = None,
    baseline: Columns | None = None,
    replicates: int = 1000,
    seed: int = 1,
    stage: int | None = None,
    tick: Callable[[float], None] | None = None,
) -> Simulation:
    """Judge synthetic candidates: equal to the baseline, exactly at every margin, and one `detect` beyond.

    rps: requests a second, which sets what comes by a deadline. stage: only this one, counted from 0. tick: told the
    share that is done.

    Raises:
        InputError: the policy has no such stage, or nothing is judged in it.
    """
    plan = compile_policy(policy)
    outlook = forecast(policy, rps=rps, rates=rates, baseline=baseline)
    judged = [index for index, layout in enumerate(plan.stages) if any(s.judged for s in layout.streams)]
    wanted = judged if stage is None else [index for index in judged if index == stage]
    if not wanted:
        numbers = ", ".join(str(index + 1) for index in judged)
        raise InputError(f"stage is {(stage or 0) + 1}; expected one that is judged: {numbers or 'there is none'}")
    rng = np.random.default_rng(seed)
    measured, cut = [], []
    for place, index in enumerate(wanted):
        work = _Stage(plan, index, outlook.stages[index], rates or {}, baseline)
        ends = {}
        for number, scenario in enumerate(SCENARIOS):
            base = (place * len(SCENARIOS) + number) / (len(wanted) * len(SCENARIOS))

            def told(part: float, base: float = base) -> None:
                if tick is not None:
                    tick(base + part / (len(wanted) * len(SCENARIOS)))

            ends[scenario] = work.run(scenario, replicates, rng, told)
        measured.append(work.measure(ends))
        if work.cut:
            cut.append(f"stage {index + 1} ({measured[-1].title})")
    return Simulation(replicates=replicates, seed=seed, stages=tuple(measured), cut=tuple(cut))


class _Stage:
    """Simulate one stage."""

    def __init__(
        self,
        plan: Plan,
        index: int,
        outlook: StageForecast,
        rates: Mapping[str, tuple[float, float | None]],
        baseline: Columns | None,
    ) -> None:
        stages = plan.policy.stages
        self.policy = plan.policy
        self.layout = plan.stages[index]
        self.outlook = outlook
        self.streams: list[Stream] = [stream for stream in self.layout.streams if stream.judged]
        self.known: dict[str, Typical] = typicals(self.streams, rates, baseline)
        self.setting: Setting = setting_of(stages[index] if stages else None, self.layout)
        self.arms = 1.0 + self.setting.ratio
        self.proves = not (stages and stages[index].kind is StageKind.BAKE)
        self.looks, self.cut = self._looks(_traffic_of(self))

    def _looks(self, most: float) -> tuple[list[int], bool]:
        """Return the sizes of the looks' windows, and whether they were cut short."""
        end = round(min(most, MOST_SAMPLES))
        sizes, done = [], 0
        while done < end:
            sizes.append(min(max(FIRST_LOOK, round(done * LOOKS_GROW)), end - done))
            done += sizes[-1]
        return sizes, most > MOST_SAMPLES

    def run(self, scenario: str, replicates: int, rng: Generator, tick: Callable[[float], None]) -> _Ends:
        """Judge replicates of a scenario, some side by side."""
        ends = _Ends(
            rolled_back=[],
            promoted=[],
            failed={stream.name: [] for stream in self.streams},
            passed={stream.name: [] for stream in self.streams},
        )
        for start in range(0, replicates, SIDE_BY_SIDE):
            self._some(scenario, min(SIDE_BY_SIDE, replicates - start), rng, ends)
            tick(min(start + SIDE_BY_SIDE, replicates) / replicates)
        return ends

    def _some(self, scenario: str, many: int, rng: Generator, ends: _Ends) -> None:
        """Judge some replicates side by side; what is decided is drawn no further."""
        whole = scenario == "equal"
        open_ = {
            (number, stream.name): Source(
                stream=copied(stream, number),
                typical=self.known[stream.name],
                harm=harm_at(stream, self.known[stream.name], scenario),
            )
            for number in range(many)
            for stream in self.streams
        }
        failed = dict.fromkeys(open_, math.inf)
        passed = dict.fromkeys(open_, math.inf)
        promoted = [math.inf] * many
        start = 0
        plan = self._plan(list(open_.values()))
        evidence = begin(plan, 0)
        for size in self.looks:
            columns = window(list(open_.values()), self.setting, start, size, self.policy.segments, rng)
            start += len(columns)
            evidence = fold_columns(plan, 0, evidence, columns, rough=True)
            _note(evidence, open_, start, failed, passed)
            for number in range(many):
                own = [(number, stream.name) for stream in self.streams]
                if promoted[number] == math.inf and all(passed[key] < math.inf for key in own):
                    promoted[number] = start
            still = {
                key: source for key, source in open_.items() if not _decided(key, failed, passed, promoted, whole=whole)
            }
            if len(still) < len(open_):
                open_ = still
                plan = self._plan(list(open_.values()))
            if not open_:
                break
        for number in range(many):
            back = min(failed[number, stream.name] for stream in self.streams)
            ends.rolled_back.append(back)
            ends.promoted.append(promoted[number] if promoted[number] < back else math.inf)
            for stream in self.streams:
                key = (number, stream.name)
                ends.failed[stream.name].append(failed[key])
                ends.passed[stream.name].append(passed[key])

    def _plan(self, sources: Sequence[Source]) -> Plan:
        """Return a plan of one stage that asks the sources' questions."""
        layout: StagePlan = replace(self.layout, shares=None, streams=tuple(source.stream for source in sources))
        return Plan(policy=self.policy, stages=(layout,))

    def measure(self, ends: Mapping[str, _Ends]) -> StageMeasure:
        """Draw the figures from how replicates ended."""
        equal, most = ends["equal"], sum(self.looks)
        n = most / self.arms
        same = {s.name: power.no_change(s, self.known[s.name]) or 0.0 for s in self.streams}
        theory = math.prod(
            power.chance(s, self.known[s.name], self.setting, same[s.name], n, promotion=True) for s in self.streams
        )
        half, pace = self.outlook.half_s, self.outlook.candidate_per_s
        median = None if half is None or pace is None or not self.proves else half * pace * self.arms
        promoted = _measures.share(equal.promoted)
        return StageMeasure(
            index=self.outlook.index,
            title=self.outlook.title,
            most_samples=most,
            looks=len(self.looks),
            budget=sum(s.question.alpha_rollback + s.alpha_segments for s in self.streams),
            false_rollback=_measures.share(equal.rolled_back),
            promoted=promoted,
            mean_samples=_measures.mean(equal.promoted),
            median_samples=_measures.median(equal.promoted),
            theory_promoted=theory,
            theory_median=median,
            agrees=_measures.agree(promoted, theory, _measures.median(equal.promoted), median, len(equal.promoted))
            if self.proves
            else None,
            metrics=tuple(self._metric(stream, ends) for stream in self.streams),
        )

    def _metric(self, stream: Stream, ends: Mapping[str, _Ends]) -> MetricMeasure:
        """Draw the figures of one question."""
        typical, n = self.known[stream.name], sum(self.looks) / self.arms
        beyond = ends["beyond"].failed[stream.name]
        harm = harm_at(stream, typical, "beyond")
        theory = power.chance(stream, typical, self.setting, harm, n)
        median = power.needed(stream, typical, self.setting, harm, 0.5) * self.arms
        at_margin = (
            "margin" if stream.is_limit or stream.question.proof_margin in {None, stream.question.margin} else "equal"
        )
        found = _measures.share(beyond)
        seen = _measures.median(beyond)
        return MetricMeasure(
            name=stream.name,
            false_rollback=_measures.share(ends[at_margin].failed[stream.name]),
            false_promotion=_measures.share(ends["margin"].passed[stream.name]),
            power=found,
            mean_samples=_measures.mean(beyond),
            median_samples=seen,
            theory_power=theory,
            theory_median=median if math.isfinite(median) else None,
            agrees=_measures.agree(found, theory, seen, median, len(beyond)),
        )


def _traffic_of(stage: _Stage) -> float:
    """Return the samples that come in a stage: by its deadline, or enough for most decisions."""
    if stage.outlook.most_samples is not None:
        return stage.outlook.most_samples
    known, setting = stage.known, stage.setting
    wanted = [
        power.needed(s, known[s.name], setting, power.no_change(s, known[s.name]) or 0.0, power.SURE, promotion=True)
        for s in stage.streams
    ]
    wanted += [
        power.needed(s, known[s.name], setting, harm_at(s, known[s.name], "beyond"), power.SURE) for s in stage.streams
    ]
    finite = [n for n in wanted if math.isfinite(n)]
    return PATIENCE * max(finite, default=1000.0) * stage.arms


def _note(
    evidence: Evidence,
    open_: Mapping[tuple[int, str], Source],
    samples: int,
    failed: dict[tuple[int, str], float],
    passed: dict[tuple[int, str], float],
) -> None:
    """Note which questions are decided at this look: in any segment to roll back, over all traffic to promote."""
    for key, source in open_.items():
        tracks = evidence.tracks[source.stream.name]
        if failed[key] == math.inf and any(track.failed for track in tracks.values()):
            failed[key] = samples
        if failed[key] == math.inf:
            passed[key] = min(passed[key], samples) if tracks[""].passed else math.inf


def _decided(
    key: tuple[int, str],
    failed: Mapping[tuple[int, str], float],
    passed: Mapping[tuple[int, str], float],
    promoted: Sequence[float],
    *,
    whole: bool,
) -> bool:
    """Tell whether a question needs no more data: it is decided, or (whole) its replicate is."""
    if failed[key] < math.inf:
        return True
    if not whole:
        return passed[key] < math.inf
    return promoted[key[0]] < math.inf
