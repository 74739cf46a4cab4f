"""Recorded samples of any origin, judged; what cannot be read is named with its place."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatekeeper import abreast, analyze
from gatekeeper.errors import InputError, PolicyError
from gatekeeper.model.finding import Ruling, VerdictKind
from gatekeeper.model.sample import Sample
from gatekeeper.model.wire import from_dict, to_dict

if TYPE_CHECKING:
    from pathlib import Path

POLICY = {
    "metrics": {
        "refusal_rate": {"max_increase": "3pp"},
        "latency_ms.p95": {"max_increase": "50%", "limit": 5000},
        "error_rate": {"max_increase": "5pp"},
    }
}
LOOSE = {"error_budget": {"false_rollback": 0.05}}


def rows(n: int = 600, *, refused: float = 0.02, paired: bool = False, seed: int = 7) -> list[dict[str, Any]]:
    """Return n samples an arm, in time order."""
    rng = np.random.default_rng(seed)
    return [
        {
            "ts": 1.7e9 + i + (0.4 if arm == "candidate" else 0.0),
            "request_id": f"r{i}",
            "arm": arm,
            **({"pair_id": f"p{i}"} if paired else {}),
            "refused": bool(rng.random() < (refused if arm == "candidate" else 0.02)),
            "latency_ms": float(rng.lognormal(6, 0.3)),
            "error": "timeout" if i % 150 == 149 else None,
        }
        for i in range(n)
        for arm in ("baseline", "candidate")
    ]


def written(path: Path, samples: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in samples))
    return path


def test_every_origin_gives_the_same_report(tmp_path: Path):
    samples = rows()
    plain = written(tmp_path / "s.jsonl", samples)
    packed = tmp_path / "s.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    frame = pd.DataFrame(samples)
    columns = tmp_path / "s.parquet"
    pq.write_table(pa.Table.from_pylist(samples), columns)
    nouns = [from_dict(Sample, row) for row in samples]
    origins = [plain, str(packed), columns, frame, pa.Table.from_pylist(samples), samples, iter(samples), nouns]
    expected = to_dict(analyze(plain, POLICY, 100))
    assert expected["verdict"] == "promote"
    for origin in origins[1:]:
        assert to_dict(analyze(origin, POLICY, 100)) == expected


def test_a_table_worked_on_side_by_side_gives_the_same_report(monkeypatch: pytest.MonkeyPatch):
    table = pa.Table.from_pylist(rows())
    expected = to_dict(analyze(table, POLICY))
    monkeypatch.setattr(abreast, "MANY", 0)
    assert to_dict(analyze(table, POLICY)) == expected
    bad = pa.Table.from_pylist([{**row, "latency_ms": -1.0, "arm": "canary"} for row in rows(10)])
    with pytest.raises(InputError, match="row 1: arm is 'canary'"):
        analyze(bad, POLICY)


def test_order_in_the_file_does_not_matter():
    samples = rows()
    mixed = [samples[i] for i in np.random.default_rng(0).permutation(len(samples))]
    assert to_dict(analyze(mixed, POLICY, 50)) == to_dict(analyze(samples, POLICY, 50))


def test_times_may_be_written_in_words():
    samples = rows(100)
    worded = [{**row, "ts": pd.Timestamp(row["ts"], unit="s", tz="UTC").isoformat()} for row in samples]
    assert to_dict(analyze(worded, POLICY)) == to_dict(analyze(samples, POLICY))


def test_looking_stops_at_the_first_decision():
    report = analyze(rows(2_000, refused=0.3), POLICY, look_every=50)
    assert report.verdict is VerdictKind.ROLLBACK
    assert report.decided_at is not None
    assert report.decided_at["samples"] == 50 * report.decided_at["look"] < 1_000
    counted = report.findings[-1]
    assert counted.baseline.n + counted.candidate.n == report.decided_at["samples"]


def test_one_look_at_the_end_counts_everything():
    report = analyze(rows(2_000, refused=0.3), POLICY)
    assert report.verdict is VerdictKind.ROLLBACK
    assert report.decided_at == {"look": 1, "samples": 4_000, "ts": pytest.approx(1.7e9 + 1999.4)}


def test_pairs_are_found_and_seen_whole():
    report = analyze(rows(paired=True), POLICY, look_every=37)
    assert {f.paired for f in report.findings} == {True}
    assert report.findings[0].baseline.n == report.findings[0].candidate.n
    assert [check.name for check in report.checks] == ["design"]


def test_few_pairs_are_no_pairs():
    samples = [{k: v for k, v in row.items() if k != "pair_id" or i % 2} for i, row in enumerate(rows(paired=True))]
    assert {f.paired for f in analyze(samples, POLICY).findings} == {False}


def test_a_repeat_counts_once_and_is_told():
    samples = rows(200)
    report = analyze(samples + samples[:10], POLICY)
    assert report.findings[-1].baseline.n + report.findings[-1].candidate.n == 400
    told = {check.name: check.reason for check in report.checks}
    assert "10 samples" in told["repeats"]


def test_samples_without_time_keep_their_order():
    samples = [{k: v for k, v in row.items() if k != "ts"} for row in rows()]
    assert analyze(samples, POLICY, 100).verdict is VerdictKind.PROMOTE


def test_the_future_is_judged_like_the_present():
    samples = [{**row, "ts": row["ts"] + 1e9} for row in rows()]
    assert analyze(samples, POLICY).verdict is analyze(rows(), POLICY).verdict


@pytest.mark.parametrize("samples", [[], rows(300)[::2], rows(300)[1::2]], ids=["empty", "baseline", "candidate"])
def test_an_arm_without_data_is_inconclusive(samples: list[dict[str, Any]]):
    report = analyze(samples, {"metrics": {"refusal_rate": {"max_increase": "1pp"}}})
    assert report.verdict is VerdictKind.HOLD
    assert report.findings[0].ruling is Ruling.INCONCLUSIVE
    assert "no data" in report.reasons[0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"arm": "candidate", "latency_ms": NaN}', "NaN and Infinity are not JSON"),
        ('{"arm": "candidate", "latency_ms": 1e999}', "latency_ms"),
        ('{"arm": "candidate", "latency_ms": -3}', "latency_ms is -3; expected a finite number, 0 or more"),
        ('{"arm": "candidate", "refused": 0.5}', "refused is 0.5; expected true, false or null"),
        ('{"arm": "canary"}', "arm is 'canary'; expected baseline, candidate, control"),
        ('{"latency_ms": 3}', "arm"),
        ('{"arm": "candidate", "ts": "yesterday"}', "ts is 'yesterday'"),
        ('{"arm": "candidate", "latency_ms": "fast"}', "latency_ms"),
        ("not json", "not a JSON object"),
        ("[]", "Expected `object`"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, expected: str):
    path = tmp_path / "s.jsonl"
    path.write_text('{"arm": "baseline"}\n\n' + line + '\n{"arm": "baseline"}\n')
    with pytest.raises(InputError) as caught:
        analyze(path, POLICY)
    assert "s.jsonl:3: " in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize("bad", [{"latency_ms": float("nan")}, {"latency_ms": float("inf")}, {"latency_ms": -1.0}])
def test_a_bad_value_in_memory_is_named(bad: dict[str, object]):
    with pytest.raises(InputError, match=r"sample 3: latency_ms"):
        analyze([*rows(1), {"arm": "candidate", **bad}], POLICY)


def test_nan_in_a_frame_is_a_missing_value():
    samples = [{**row, "latency_ms": None if i % 3 == 0 else row["latency_ms"]} for i, row in enumerate(rows(300))]
    assert to_dict(analyze(pd.DataFrame(samples), POLICY)) == to_dict(analyze(samples, POLICY))


def test_what_is_no_data_is_refused():
    for wrong in (3, {"arm": "baseline"}, b"x"):
        with pytest.raises(InputError, match="expected a path"):
            analyze(wrong, POLICY)
    with pytest.raises(InputError, match="No such file"):
        analyze("nowhere.jsonl", POLICY)
    with pytest.raises(InputError, match="look_every is 0"):
        analyze([], POLICY, 0)
    with pytest.raises(PolicyError):
        analyze([], {"metrics": {"refusal_rte": {"max_increase": 0}}})


def test_segments_may_be_strings_or_objects():
    policy = {**POLICY, "segments": ["workload"]}
    objects = [{**row, "segment": {"workload": "ab"[i // 2 % 2]}} for i, row in enumerate(rows(200))]
    assert {f.segment for f in analyze(objects, policy).findings} == {None, "workload=a", "workload=b"}
    strings = [{**row, "segment": "ab"[i // 2 % 2]} for i, row in enumerate(rows(200))]
    report = analyze(strings, {**POLICY, "segments": ["segment"]})
    assert {f.segment for f in report.findings} == {None, "a", "b"}


def numbers(baseline: list[float], candidate: list[float]) -> list[dict[str, Any]]:
    both = [("baseline", x) for x in baseline] + [("candidate", x) for x in candidate]
    return [{"arm": arm, "latency_ms": x, "refused": x > 1} for arm, x in both]


@pytest.mark.parametrize(("times", "verdict"), [(1, VerdictKind.HOLD), (16, VerdictKind.ROLLBACK)])
def test_seven_large_values_against_ten_small_are_flagged(times: int, verdict: VerdictKind):
    """A Mann-Whitney judge called 7 x 100 and 3 x 1 against 10 x 1 equal.

    Ten values say too little of a p90 (ten of ten lie below it once in three), so they are not enough, nor a pass.
    """
    policy = {**LOOSE, "metrics": {"latency_ms.p90": {"max_increase": "0%"}}}
    samples = numbers([1.0] * 10 * times, ([100.0] * 7 + [1.0] * 3) * times)
    assert analyze(samples, policy).verdict is verdict


@pytest.mark.parametrize(("times", "verdict"), [(1, VerdictKind.HOLD), (32, VerdictKind.ROLLBACK)])
def test_an_all_zero_baseline_against_five_of_ten_is_flagged(times: int, verdict: VerdictKind):
    """A judge that skips empty baselines passed it."""
    policy = {**LOOSE, "metrics": {"latency_ms.p95": {"max_increase": "0%"}}}
    samples = numbers([0.0] * 10 * times, ([5.0] * 5 + [0.0] * 5) * times)
    assert analyze(samples, policy).verdict is verdict


def test_six_sparse_values_are_inconclusive():
    policy = {"metrics": {"latency_ms.p95": {"max_increase": "10%"}, "refusal_rate": {"max_increase": "1pp"}}}
    report = analyze(numbers([0.0, 0.0, 1.0], [0.0, 1.0, 0.0]), policy)
    assert {f.ruling for f in report.findings} == {Ruling.INCONCLUSIVE}


def test_a_wider_spread_at_the_same_location_is_seen():
    """A location test has nothing to see here; the p95 has."""
    rng = np.random.default_rng(2)
    same, wider = 100 + rng.uniform(-10, 10, 1_500), 100 + rng.uniform(-90, 90, 1_500)
    policy = {"metrics": {"latency_ms.p95": {"max_increase": "20%"}, "latency_ms": {"max_increase": "10%"}}}
    report = analyze(numbers(list(same), list(wider)), policy)
    assert [f.ruling for f in report.findings] == [Ruling.FAIL, Ruling.PASS]


@pytest.mark.parametrize(("refused", "verdict"), [(0.02, VerdictKind.PROMOTE), (0.12, VerdictKind.ROLLBACK)])
def test_one_arm_after_the_other_without_times_is_judged_side_by_side(refused: float, verdict: VerdictKind):
    samples = [row | {"ts": None} for row in rows(3000, refused=refused)]
    apart = sorted(samples, key=lambda row: row["arm"] == "candidate")
    policy = {"metrics": {"refusal_rate": {"max_increase": "3pp"}}}
    assert analyze(apart, policy, 200).verdict is verdict
    assert analyze(apart, policy, 200).findings == analyze(samples, policy, 200).findings
