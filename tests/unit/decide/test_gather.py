"""One look's data gathered for all labels at once are those that plain rows give."""

from __future__ import annotations

import numpy as np
import pytest

from gatekeeper.decide import _counts
from gatekeeper.decide._batch import Whole, segments
from gatekeeper.decide._gather import Gather
from gatekeeper.decide._look import Look, sort_out
from gatekeeper.decide._strata import Names
from gatekeeper.decide.columns import Columns
from gatekeeper.model.metric import MetricKind, MetricSpec
from gatekeeper.stats._rows import Rows

KEYS = ("workload", "tier", "length")
RATE = MetricSpec(name="r", title="", kind=MetricKind.RATE, columns=("r",), lower_is_better=True, unit="share")
NUMBER = MetricSpec(name="v", title="", kind=MetricKind.NUMBER, columns=("v",), lower_is_better=True, unit="ms")
RATIO = MetricSpec(name="q", title="", kind=MetricKind.NUMBER, columns=("v", "r"), lower_is_better=True, unit="$")


def columns(n: int, *, paired: bool, clustered: bool = False, whole: bool = False, many: int = 3) -> Columns:
    rng = np.random.default_rng(many)
    r, v = (rng.random(n) < 0.3).astype(float), rng.lognormal(3, 1, n)
    if not whole:
        r[rng.random(n) < 0.1] = np.nan
        v[rng.random(n) < 0.1] = np.nan
    labels = [[f"{key}={i}" for i in range(many)] for key in KEYS]
    return Columns(
        ts=np.arange(n, dtype=float),
        arm=np.tile([0, 1], n // 2).astype(np.int8) if paired else rng.integers(0, 3, n).astype(np.int8),
        pair=np.repeat(np.arange(n // 2), 2) if paired else np.full(n, -1),
        cluster=rng.integers(-1, n // 5, n) if clustered else np.full(n, -1),
        errored=np.zeros(n, np.bool_) if whole else rng.random(n) < 0.1,
        values={"r": r, "v": v},
        segments={key: (rng.integers(-1, many, n), names) for key, names in zip(KEYS, labels, strict=True)},
    )


def gathered(data: Columns, spec: MetricSpec, *, paired: bool, past: int = 0) -> tuple[Gather, Look, Names]:
    names = Names(segments=[], strata=[])
    look = sort_out(data, KEYS, names, paired=paired, judged=True, past=past, seen=None)
    return Gather(look, data, spec), look, names


def plain(data: Columns, spec: MetricSpec, rows: np.ndarray, *, paired: bool) -> Rows:
    """Return the rows of the look that are in `rows`, as the reference has them."""
    values = np.stack([data.values[name] for name in spec.columns], axis=1)
    usable = ~np.isnan(values).any(axis=1) & ~data.errored
    a, b = (np.flatnonzero(data.arm == arm) for arm in (0, 1))
    if paired:
        kept = usable[a] & usable[b] & rows[a]
        a, b = a[kept], b[kept]
    else:
        a, b = a[usable[a] & rows[a]], b[usable[b] & rows[b]]
    return Rows(a=values[a], b=values[b], a_at=a, b_at=b, paired=paired)


def same(found: object, wanted: object) -> None:
    if isinstance(wanted, dict):
        assert isinstance(found, dict)
        same((found["at"], found["count"]), (wanted["at"], wanted["count"]))
    elif isinstance(wanted, tuple):
        assert isinstance(found, tuple)
        for one, other in zip(found, wanted, strict=True):
            same(one, other)
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("n", "many"), [(1_200, 3), (20_000, 20)])
def test_every_label_gets_what_its_plain_rows_give(*, paired: bool, whole: bool, n: int, many: int):
    data = columns(n, paired=paired, whole=whole, many=many)
    for spec in (RATE, NUMBER, RATIO):
        gather, look, _ = gathered(data, spec, paired=paired)
        assert len(look.views) == (1 if many == 3 else 4)
        parts = {"": Whole(gather), **dict(segments(gather))}
        assert len(parts) == 1 + 3 * many
        for label, part in parts.items():
            rows = np.ones(len(data), np.bool_)
            for key in KEYS:
                codes, labels = data.segments[key]
                codes = np.repeat(codes[::2], 2) if paired else codes
                if label in labels:
                    rows = codes == labels.index(label)
            wanted = plain(data, spec, rows, paired=paired)
            totals = [part.windows(0).sum(axis=(0, 1)), wanted.windows(0).sum(axis=(0, 1))]
            same(*totals)
            assert part.windows(0).shape == (look.windows, look.strata if label == "" else 1, 4)
            same(tuple(form.sum(axis=0) for form in part.sums()), tuple(form.sum(axis=0) for form in wanted.sums()))
            if paired and spec is RATE:
                same(part.tables(0).sum(axis=0), wanted.tables(0).sum(axis=0))
            if spec is NUMBER:
                same(part.histograms(), wanted.histograms())
                same(part.values(), wanted.values())


def test_windows_are_those_of_all_traffic_in_time_order():
    data = columns(1_200, paired=False, whole=True)
    data.arm %= 2
    gather, look, _ = gathered(data, RATE, paired=False, past=100)
    wanted = plain(data, RATE, np.ones(len(data), np.bool_), paired=False).windows(100)
    assert look.windows == len(wanted)
    same(Whole(gather).windows(0).sum(axis=1, keepdims=True), wanted)


def test_a_unit_counts_once_in_the_window_of_its_first_row():
    data = columns(1_200, paired=False, clustered=True)
    gather, look, _ = gathered(data, RATE, paired=False)
    compared = np.flatnonzero(data.arm < 2)
    usable = ~np.isnan(data.values["r"][compared]) & ~data.errored[compared]
    cluster = data.cluster[compared]
    units = len({int(c) for c in cluster[usable] if c >= 0}) + int(usable[cluster < 0].sum())
    counts = Whole(gather).windows(0)
    assert counts[..., [0, 2]].sum() == pytest.approx(units)
    assert sum(part.windows(0)[..., [0, 2]].sum() for label, part in segments(gather) if "tier" in label) < units
    first = {int(c): int(np.flatnonzero(cluster == c)[0]) for c in set(cluster.tolist()) if c >= 0}
    assert all(look.window[i] == look.window[first[int(c)]] for i, c in enumerate(cluster) if c >= 0)
    n, _, _ = Whole(gather).sums()
    a, b = Whole(gather).histograms()
    assert n.sum() == pytest.approx(units)
    assert a["count"].sum() + b["count"].sum() == pytest.approx(units)


def test_single_rows_with_a_cluster_each_are_as_rows_without():
    data = columns(600, paired=False)
    bare = Whole(gathered(data, RATE, paired=False)[0]).windows(0)
    data.cluster = np.random.default_rng(3).permutation(600) * 7919
    same(Whole(gathered(data, RATE, paired=False)[0]).windows(0), bare)


def test_pairs_are_found_by_their_code_in_order_of_the_later_half():
    data = columns(8, paired=True, whole=True)
    data.arm = np.array([0, 0, 1, 1, 0, 1, 1, 0], np.int8)
    data.pair = np.array([5, 9, 9, 10**12, 10**12, 5, 7, -1])
    look = gathered(data, RATE, paired=True)[1]
    assert [rows.tolist() for rows in look.rows] == [[1, 4, 0], [2, 3, 5]]
    assert look.singles == 2


def test_late_segments_are_part_of_all_traffic_alone_and_late_strata_share_one():
    n = 400
    data = columns(n, paired=False, whole=True)
    data.segments = {key: (np.arange(n) % 100, [f"{key}={i}" for i in range(100)]) for key in KEYS[:1]}
    gather, look, names = gathered(data, RATE, paired=False)
    assert len(segments(gather)) == len(names.segments) == 64
    assert len(names.strata) == look.strata == 64
    assert names.strata[-1] == "*"
    assert Whole(gather).windows(0)[..., [0, 2]].sum() == (data.arm < 2).sum()
    again = Names(segments=list(names.segments), strata=list(names.strata))
    sort_out(data, KEYS, again, paired=False, judged=True, past=n, seen=None)
    assert (again.segments, again.strata) == (names.segments, names.strata)


def test_arms_that_stand_one_after_the_other_without_times_share_their_windows():
    data = columns(1_000, paired=False, whole=True)
    data.arm = np.repeat([0, 1], [700, 300]).astype(np.int8)
    separate = Whole(gathered(data, RATE, paired=False)[0]).windows(0).sum(axis=1)
    assert (separate[:, 0] * separate[:, 2] == 0).sum() >= len(separate) - 1
    data.ts[:] = 0.0
    together = Whole(gathered(data, RATE, paired=False)[0]).windows(0).sum(axis=1)
    np.testing.assert_allclose(together[:, 0] / (together[:, 0] + together[:, 2]), 0.7, atol=0.1)
    np.testing.assert_allclose(together.sum(axis=0), separate.sum(axis=0))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.95, 1.0])
@pytest.mark.parametrize("few", [0, 1 << 13])
@pytest.mark.parametrize("whole", [False, True])
def test_answers_are_counted_alike_whether_rare_or_common(
    share: float, few: int, monkeypatch: pytest.MonkeyPatch, *, whole: bool
):
    monkeypatch.setattr(_counts, "FEW", few)
    data = columns(3_000, paired=False, whole=whole)
    answered = ~np.isnan(data.values["r"])
    data.values["r"][answered] = np.random.default_rng(1).random(int(answered.sum())) < share
    gather, look, _ = gathered(data, RATE, paired=False)
    for label, part in {"": Whole(gather), **dict(segments(gather))}.items():
        rows = np.ones(len(data), np.bool_)
        for codes, labels in data.segments.values():
            if label in labels:
                rows = codes == labels.index(label)
        same(part.windows(0).sum(axis=(0, 1)), plain(data, RATE, rows, paired=False).windows(0).sum(axis=(0, 1)))
    assert gather.windows[0].shape[1] == look.windows
