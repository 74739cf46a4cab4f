"""What another policy would have decided, and when: recorded samples and stored rollouts, judged again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatekeeper.flow._readers import read_samples
from gatekeeper.flow._rows import Wanted
from gatekeeper.flow.analyze import analyze
from gatekeeper.flow.plan import title_of
from gatekeeper.flow.rollouts import plan_of
from gatekeeper.model.finding import VerdictKind
from gatekeeper.model.rollout import Rollout
from gatekeeper.model.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatekeeper.model.finding import Report
    from gatekeeper.model.policy import Policy

LOOK_EVERY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Hold a stored rollout, and say how its samples are read.

    stored: the number of samples by stage's index. read: yields a stage's samples in the order in which they were
    stored, as they are asked for.
    """

    rollout: Rollout
    stored: Mapping[int, int]
    read: Callable[[int], Iterable[Sample]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Hold one replay.

    was: what was decided then, "" where nothing is stored. stage: where this policy decided, "" for a file. samples:
    compared until then, over all stages; of: stored. after_s: time from the first sample to the decision; None where
    nothing was decided, or no time is known.
    """

    name: str
    was: str
    was_reason: str
    verdict: VerdictKind
    stage: str
    samples: int
    of: int
    after_s: float | None
    reason: str


def replay_file(samples: str, policy: Policy, look_every: int = LOOK_EVERY, *, was: str = "") -> Replay:
    """Judge a file of samples as one stage, look by look.

    Raises:
        InputError: it cannot be read; the message names the place.
    """
    report = analyze(samples, policy, look_every)
    start = None if samples == "-" else _first_ts(samples)
    seen = _seen(report)
    return Replay(
        name=samples if samples == "-" else Path(samples).name,
        was=was,
        was_reason="",
        verdict=report.verdict,
        stage="",
        samples=seen,
        of=seen,
        after_s=_after(report, start),
        reason=report.reasons[0] if report.reasons else "",
    )


def replay_rollout(recorded: Recorded, policy: Policy, look_every: int = LOOK_EVERY) -> Replay:
    """Walk a stored rollout's judged stages again, each as the stage that it was, until this policy stops.

    A stage ends the replay unless this policy would have gone forward on its samples; what it would have seen with
    more traffic than was recorded, nobody knows: it holds. Samples are read no further than that, in bounded memory.
    """
    rollout = recorded.rollout
    then, _ = plan_of(rollout.policy_text)
    judged = [index for index, stage in enumerate(then.stages) if stage.judged and recorded.stored.get(index)]
    begun = _Begun()
    verdict, where, reason, seen, after_s = VerdictKind.HOLD, "", "no samples are stored", 0, None
    for index in judged:
        report = analyze(begun.noted(recorded.read(index)), policy, look_every)
        verdict, where = report.verdict, f"{index + 1} ({title_of(then.stages[index])})"
        reason = report.reasons[0] if report.reasons else ""
        seen += _seen(report)
        after_s = _after(report, begun.ts)
        if verdict is not VerdictKind.PROMOTE:
            break
    return Replay(
        name=rollout.id,
        was=rollout.state.value,
        was_reason=rollout.reason,
        verdict=verdict,
        stage=where,
        samples=seen,
        of=sum(recorded.stored[index] for index in judged),
        after_s=after_s,
        reason=reason,
    )


@dataclass(slots=True)
class _Begun:
    """Note the earliest time among the samples that pass; None before any."""

    ts: float | None = None

    def noted(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Pass samples on."""
        for sample in samples:
            if self.ts is None or sample.ts < self.ts:
                self.ts = sample.ts
            yield sample


def _seen(report: Report) -> int:
    """Return the samples up to the decision; without one, those that were compared."""
    if report.decided_at is not None:
        return int(report.decided_at["samples"])
    return max((finding.baseline.n + finding.candidate.n for finding in report.findings), default=0)


def _after(report: Report, start: float | None) -> float | None:
    """Return the time from the first sample to the decision."""
    if report.decided_at is None or start is None or not report.decided_at["ts"]:
        return None
    return max(float(report.decided_at["ts"]) - start, 0.0)


def _first_ts(samples: Any) -> float | None:  # noqa: ANN401 - as `analyze` takes
    """Return the earliest time among the first samples; None where none is told."""
    for part in read_samples(samples, Wanted(fields=("refused",), keys=("segment",))).parts:
        known = part.columns.ts[part.columns.ts == part.columns.ts]
        return float(known.min()) if len(known) else None
    return None
