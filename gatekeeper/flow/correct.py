"""People's labels of pairs, held against what the detectors said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gatekeeper import registry
from gatekeeper.decide.classify import PLAIN
from gatekeeper.decide.correct import KINDS, correct
from gatekeeper.errors import Fault, InputError, UnknownNameError
from gatekeeper.flow._control import BASELINE, CANDIDATE
from gatekeeper.flow._ids import id_codes
from gatekeeper.flow._readers import read_samples
from gatekeeper.flow._rows import Wanted
from gatekeeper.model.correction import Correction, PairLabel
from gatekeeper.model.metric import MetricKind, MetricSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

Ints = NDArray[np.int64]


def detector(metric: str) -> MetricSpec:
    """Return the metric whose detector people can put right: a rate that is read from answers.

    Raises:
        InputError: no such metric, or one that nothing detects.
    """
    known = tuple(name for name in registry.names("metrics") if _detects(name))
    if metric not in known:
        raise UnknownNameError("metric with a detector", metric, known)
    spec: MetricSpec = registry.load("metrics", metric).SPEC
    return spec


def _detects(name: str) -> bool:
    module = registry.load("metrics", name)
    return hasattr(module, "score") and module.SPEC.kind is MetricKind.RATE


def read_labels(path: Path) -> list[PairLabel]:
    """Read a file of labels, a JSON object a line; of two labels of one pair the later counts.

    Raises:
        InputError: not readable, or a line that is no label; the message names each such line.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as exc:
        raise InputError(f"{path}: {exc.strerror}") from exc
    labels: dict[tuple[str, str], PairLabel] = {}
    faults: list[str] = []
    known: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            label = msgspec.json.decode(line, type=PairLabel)
            if label.metric not in known:
                known.add(detector(label.metric).name)
        except (msgspec.DecodeError, UnicodeDecodeError, InputError) as exc:
            faults.append(str(Fault(str(exc), file=str(path), line=number)))
            continue
        labels[label.metric, label.pair_id] = label
    if faults:
        shape = 'expected {"pair_id": ..., "metric": "refusal_rate", "baseline": true, "candidate": false}'
        raise InputError("\n".join([*faults[:20], shape]))
    return list(labels.values())


def corrections(samples: Any, labels: Sequence[PairLabel]) -> tuple[Correction, ...]:  # noqa: ANN401 - see `analyze`
    """Return each labelled metric's rates over the pairs, raw and corrected.

    samples: as `analyze` takes them, but such as can be read again. A pair counts where both arms answered and the
    detector could speak of both.

    Raises:
        InputError: samples cannot be read; or labels name pairs, none of which is there.
    """
    found = []
    for metric in dict.fromkeys(label.metric for label in labels):
        column = detector(metric).columns[0]
        codes, kinds = _pairs(_rows(samples, column))
        mine = [label for label in labels if label.metric == metric]
        at, known = _places(codes, id_codes([label.pair_id for label in mine]))
        if not known.any():
            raise InputError(
                f"labels of {metric}: none of {len(mine)} pair_ids is a pair in these samples, such as "
                f"{mine[0].pair_id!r}; are they of other samples?"
            )
        true = np.array([2 * label.baseline + label.candidate for label in mine], np.int64)[known]
        tables = np.zeros((KINDS, KINDS), np.int64)
        np.add.at(tables, (kinds[at[known]], true), 1)
        one = correct(metric, np.bincount(kinds, minlength=KINDS), tables)
        found += [one] if one else []
    return tuple(found)


def _rows(samples: Any, column: str) -> Iterator[tuple[Ints, NDArray[np.int8], Ints]]:  # noqa: ANN401 - as above
    """Yield pair code, arm and answer of the rows that have all three."""
    wanted = Wanted(fields=(column,), keys=(PLAIN,))
    for part in read_samples(samples, wanted).parts:
        rows = part.columns
        usable = (rows.pair >= 0) & ~rows.errored & ~np.isnan(rows.values[column])
        yield rows.pair[usable], rows.arm[usable], rows.values[column][usable].astype(np.int64)


def _pairs(parts: Iterable[tuple[Ints, NDArray[np.int8], Ints]]) -> tuple[Ints, Ints]:
    """Return the codes of whole pairs, ascending, and the kind of each; of a half that comes again the first counts."""
    held = list(parts)
    if not held:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    pair, arm, flag = (np.concatenate(each) for each in zip(*held, strict=True))
    ids, flags = [], []
    for code in (BASELINE, CANDIDATE):
        of_arm = arm == code
        unique, first = np.unique(pair[of_arm], return_index=True)
        ids.append(unique)
        flags.append(flag[of_arm][first])
    codes, mine, theirs = np.intersect1d(ids[0], ids[1], assume_unique=True, return_indices=True)
    return codes, 2 * flags[0][mine] + flags[1][theirs]


def _places(codes: Ints, wanted: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Return where each wanted code stands among ascending codes, and whether it is there."""
    at = np.minimum(np.searchsorted(codes, wanted), max(len(codes) - 1, 0))
    return at, codes[at] == wanted if len(codes) else np.zeros(len(wanted), np.bool_)
