"""Judging recorded samples as a live rollout would: in time order, peeking as often as one likes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatekeeper.decide.columns import needed, segment_keys
from gatekeeper.decide.compile import compile_policy, whole
from gatekeeper.decide.fold import begin, fold_columns, settled
from gatekeeper.decide.policyfile import parse_policy, policy_from_mapping
from gatekeeper.decide.weigh import verdict_of, weigh
from gatekeeper.errors import InputError
from gatekeeper.flow._control import Comparison
from gatekeeper.flow._looks import looks
from gatekeeper.flow._order import MOST_HELD, MOST_IN_MEMORY, InOrder
from gatekeeper.flow._pairing import Pairing, Placed
from gatekeeper.flow._readers import read_samples
from gatekeeper.flow._rows import Wanted
from gatekeeper.model.finding import Check, Report, Ruling, VerdictKind
from gatekeeper.model.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gatekeeper.decide.columns import Columns
    from gatekeeper.model.correction import PairLabel


def analyze(
    samples: Any,  # noqa: ANN401 - see below
    policy: str | Path | Mapping[str, Any] | Policy,
    look_every: int | None = None,
    *,
    labels: str | Path | None = None,
    tick: Callable[[float], None] | None = None,
) -> Report:
    """Judge recorded samples by a policy.

    samples: a path to JSON lines (.gz, .parquet too; `-` is stdin), a pandas or polars frame, an Arrow table, or an
    iterable of mappings or `Sample`s. policy: a path, a mapping, or a `Policy`. look_every: look after each so many
    samples in time order, and read no further than the first decision; None: one look at the end. The error guarantee
    is the same. labels: a file of people's labels of pairs, by which the report shows corrected rates beside the
    detectors'; they never decide. tick: told how many bytes of a file are read.

    A policy's stages are not walked through: the data are judged as one stage, at the error level that each of the
    policy's judged stages has. They are judged as pairs where at least four in five of the candidate's samples share
    a `pair_id` with one of the baseline's; where a control was run, the candidate is compared with it. A request_id
    that comes again in the same arm counts once.

    Up to MOST_HELD samples of a file, or MOST_IN_MEMORY of a frame or list, are judged as a whole. Of more, only so
    many are held at a time: each such run is a look, and a sample that comes after newer ones were judged is judged
    with the next.

    Raises:
        InputError: samples, policy or labels cannot be read; the message names the place.
    """
    known = _labels(labels, samples) if labels is not None else ()
    if look_every is not None and look_every < 1:
        raise InputError(f"look_every is {look_every}; expected 1 or more")
    asked = read_policy(policy)
    wanted = Wanted(fields=tuple(needed(compile_policy(asked))), keys=segment_keys(asked))
    source = read_samples(samples, wanted, tick)
    order = InOrder(most=MOST_IN_MEMORY if source.in_memory else MOST_HELD)
    runs = order.runs(source.parts)
    first = next(runs, None)
    comparison = Comparison.fitting(first[0]) if first else Comparison(by_control=False, paired=False)
    plan = whole(asked, paired=comparison.paired)
    evidence = begin(plan, 0)
    for window in looks(_placed(first, runs, comparison), min(look_every, order.most) if look_every else None):
        evidence = fold_columns(plan, 0, evidence, window, rough=look_every is not None)
        if look_every is not None and verdict_of(plan, 0, evidence) is not VerdictKind.HOLD:
            break
    if look_every is not None:
        evidence = settled(plan, 0, evidence)
    report = weigh(plan, 0, evidence, look=evidence.looks, now_s=evidence.ts or 0.0)
    report = replace(report, checks=(*report.checks, *_checks(order, comparison)))
    return _corrected(report, samples, known) if known else report


def _labels(labels: str | Path, samples: Any) -> Sequence[PairLabel]:  # noqa: ANN401 - as above
    """Read the labels, before the samples.

    Raises:
        InputError: they cannot be read, or the samples cannot be read a second time.
    """
    from gatekeeper.flow.correct import read_labels  # noqa: PLC0415 - scipy is slow to import, and labels are rare

    if hasattr(samples, "__next__") or (isinstance(samples, str) and samples == "-"):
        raise InputError("labels need samples that can be read twice; expected a file, a frame or a list")
    return read_labels(Path(labels))


def _corrected(report: Report, samples: Any, labels: Sequence[PairLabel]) -> Report:  # noqa: ANN401 - as above
    """Show the detectors' rates as the labels put them right."""
    from gatekeeper.flow.correct import corrections  # noqa: PLC0415 - as above

    return replace(report, corrections=corrections(samples, labels))


def _placed(
    first: tuple[Columns, bool] | None, runs: Iterator[tuple[Columns, bool]], comparison: Comparison
) -> Iterator[Placed]:
    """Choose what is compared, and see pairs whole."""
    pairing = Pairing(paired=comparison.paired)
    while first is not None:
        run, last = first
        yield pairing.place(comparison.compared(run), last=last)
        first = next(runs, None)


def _checks(order: InOrder, comparison: Comparison) -> Iterator[Check]:
    """Say what was odd about the data themselves."""
    if order.repeats.count:
        text = f"{order.repeats.count} samples repeat a request_id in the same arm; each is counted once"
        yield Check(name="repeats", ruling=Ruling.INCONCLUSIVE, reason=text)
    if order.late:
        text = f"{order.late} samples came after newer ones were judged; each is judged with the next that were read"
        yield Check(name="late", ruling=Ruling.INCONCLUSIVE, reason=text)
    if ahead := order.newest.ahead():
        yield Check(name="time", ruling=Ruling.INCONCLUSIVE, reason=ahead)
    if control := comparison.in_words():
        ruling = Ruling.PASS if comparison.by_control else Ruling.INCONCLUSIVE
        yield Check(name="control", ruling=ruling, reason=control)


def read_policy(policy: str | Path | Mapping[str, Any] | Policy) -> Policy:
    """Return a policy from where it is.

    Raises:
        InputError: no such file; a `PolicyError` holds all its faults.
    """
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, Mapping):
        return policy_from_mapping(policy)
    try:
        text = Path(policy).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{policy}: {getattr(error, 'strerror', None) or error}") from error
    return _parsed(text, str(policy))


@lru_cache(maxsize=8)
def _parsed(text: str, file: str) -> Policy:
    """Parse a policy once, however often it is asked."""
    return parse_policy(text, file=file)
