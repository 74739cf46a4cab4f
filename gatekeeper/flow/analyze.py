"""Judging recorded samples as a live rollout would: in time order, peeking as often as one likes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatekeeper.decide.columns import ARMS, Columns, encode, needed
from gatekeeper.decide.compile import compile_policy, whole
from gatekeeper.decide.fold import begin, fold_columns
from gatekeeper.decide.policyfile import parse_policy, policy_from_mapping
from gatekeeper.decide.weigh import verdict_of, weigh
from gatekeeper.errors import InputError
from gatekeeper.flow._readers import read_parts
from gatekeeper.flow._rows import Part, Wanted
from gatekeeper.model.arm import Arm
from gatekeeper.model.finding import Check, Report, Ruling, VerdictKind
from gatekeeper.model.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

MOSTLY = 0.8
"""Share of the candidate's samples that must have a partner for the data to be judged as pairs."""


def analyze(
    samples: Any,  # noqa: ANN401 - see below
    policy: str | Path | Mapping[str, Any] | Policy,
    look_every: int | None = None,
    *,
    tick: Callable[[float], None] | None = None,
) -> Report:
    """Judge recorded samples by a policy.

    samples: a path to JSON lines (.gz, .parquet too; `-` is stdin), a pandas or polars frame, an Arrow table, or an
    iterable of mappings or `Sample`s. policy: a path, a mapping, or a `Policy`. look_every: look after each so many
    samples in time order and stop at the first decision; None: one look at the end. The error guarantee is the same.
    tick: told how many bytes of a file are read.

    A policy's stages are not walked through: the data are judged as one stage, at the error level that each of the
    policy's judged stages has. They are judged as pairs where at least four in five of the candidate's samples share
    a `pair_id` with one of the baseline's. A request_id that comes again in the same arm counts once.

    Raises:
        InputError: samples or policy cannot be read; the message names the place.
    """
    if look_every is not None and look_every < 1:
        raise InputError(f"look_every is {look_every}; expected 1 or more")
    asked = read_policy(policy)
    wanted = Wanted(fields=tuple(needed(compile_policy(asked))), keys=asked.segments)
    columns, repeats = _gathered(list(read_parts(samples, wanted, tick)), wanted)
    partner = _partners(columns)
    candidate = columns.arm == ARMS.index(Arm.CANDIDATE)
    paired = bool(candidate.any()) and float(np.mean(partner[candidate] >= 0)) >= MOSTLY
    plan = whole(asked, paired=paired)
    evidence = begin(plan, 0)
    for window in _windows(columns, partner if paired else None, look_every):
        evidence = fold_columns(plan, 0, evidence, columns.take(window))
        if look_every is not None and verdict_of(plan, 0, evidence) is not VerdictKind.HOLD:
            break
    report = weigh(plan, 0, evidence, look=evidence.looks, now_s=evidence.ts or 0.0)
    if not repeats:
        return report
    text = f"{repeats} samples repeat a request_id in the same arm; each is counted once"
    return replace(report, checks=(*report.checks, Check(name="repeats", ruling=Ruling.INCONCLUSIVE, reason=text)))


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
    return parse_policy(text, file=str(policy))


def _gathered(parts: Sequence[Part], wanted: Wanted) -> tuple[Columns, int]:
    """Join parts, leave out repeats, and order by time; return how many repeats there were."""
    columns = _joined([part.columns for part in parts], wanted)
    columns.pair = encode(None if one is None else str(one) for part in parts for one in part.pairs)[0]
    columns.ts = _filled(columns.ts)
    first = _first_of_each([one for part in parts for one in part.requests], columns.arm)
    repeats = len(columns) - len(first)
    return (columns.take(first) if repeats else columns).ordered(), repeats


def _joined(parts: Sequence[Columns], wanted: Wanted) -> Columns:
    """Put parts one after the other; segment codes are made to agree."""
    empty = Columns(
        ts=np.zeros(0),
        arm=np.zeros(0, np.int8),
        pair=np.zeros(0, np.int64),
        cluster=np.zeros(0, np.int64),
        errored=np.zeros(0, np.bool_),
        values={name: np.zeros(0) for name in wanted.fields},
        segments={key: (np.zeros(0, np.int64), []) for key in wanted.keys},
    )
    whole_parts = [empty, *parts]
    return Columns(
        ts=np.concatenate([p.ts for p in whole_parts]),
        arm=np.concatenate([p.arm for p in whole_parts]),
        pair=np.concatenate([p.pair for p in whole_parts]),
        cluster=np.concatenate([p.cluster for p in whole_parts]),
        errored=np.concatenate([p.errored for p in whole_parts]),
        values={name: np.concatenate([p.values[name] for p in whole_parts]) for name in wanted.fields},
        segments={key: _same_codes([p.segments[key] for p in whole_parts]) for key in wanted.keys},
    )


def _same_codes(parts: Sequence[tuple[NDArray[np.int64], list[str]]]) -> tuple[NDArray[np.int64], list[str]]:
    """Number the parts' labels alike."""
    known: dict[str, int] = {}
    codes = []
    for part, labels in parts:
        new = np.array([known.setdefault(label, len(known)) for label in labels] + [-1], np.int64)
        codes.append(new[part])
    return np.concatenate(codes), list(known)


def _filled(ts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give a sample without a time that of the one before it in the file; 0 before any."""
    known = ~np.isnan(ts)
    if bool(known.all()):
        return ts
    last = np.maximum.accumulate(np.where(known, np.arange(len(ts)), -1))
    return np.where(last >= 0, ts[last], 0.0)


def _first_of_each(requests: list[Any], arm: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the rows that are not repeats of an earlier row's request_id in the same arm."""
    keys = list(zip(requests, arm.tolist(), strict=True))
    if len(set(keys)) == len(keys):
        return np.arange(len(keys))
    seen: set[tuple[Any, int]] = set()
    kept = []
    for row, key in enumerate(keys):
        if key[0] is None or key not in seen:
            seen.add(key)
            kept.append(row)
    return np.array(kept, np.int64)


def _partners(columns: Columns) -> NDArray[np.int64]:
    """Return each row's partner in the other arm, by pair_id, -1 without one; extra rows of a pair have none."""
    partner = np.full(len(columns), -1, np.int64)
    paired = columns.pair >= 0
    if not bool(paired.any()):
        return partner
    first = np.full((2, int(columns.pair.max()) + 1), -1, np.int64)
    for side, arm in enumerate((Arm.BASELINE, Arm.CANDIDATE)):
        rows = np.flatnonzero(paired & (columns.arm == ARMS.index(arm)))[::-1]
        first[side, columns.pair[rows]] = rows
    whole_pairs = (first >= 0).all(axis=0)
    a, b = first[:, whole_pairs]
    partner[a], partner[b] = b, a
    return partner


def _windows(
    columns: Columns, partner: NDArray[np.int64] | None, look_every: int | None
) -> list[NDArray[np.int64] | slice]:
    """Cut the rows into looks; a pair is seen whole, in the look of its later half."""
    n = len(columns)
    if look_every is None:
        return [slice(0, n)] if n else []
    if partner is None:
        return [slice(start, min(start + look_every, n)) for start in range(0, n, look_every)]
    seen_at = np.maximum(np.arange(n), partner)
    order = np.argsort(seen_at, kind="stable")
    cuts = np.searchsorted(seen_at[order], np.arange(look_every, n, look_every))
    return list(np.split(order, cuts))
