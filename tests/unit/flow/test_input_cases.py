"""What recorded data can look like in the field: each case gets its right ruling, or an error that names the place."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from gatekeeper import analyze
from gatekeeper.errors import InputError
from gatekeeper.model.finding import Report, Ruling, VerdictKind
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from pathlib import Path

POLICY = {
    "metrics": {
        "refusal_rate": {"max_increase": "4pp"},
        "latency_ms.p95": {"max_increase": "50%"},
        "error_rate": {"max_increase": "5pp"},
    }
}
ALPHA = {"error_budget": {"false_rollback": 0.05, "false_promotion": 0.05}}


def good(n: int = 400, *, arms: tuple[str, ...] = ("baseline", "candidate"), seed: int = 3) -> list[dict[str, Any]]:
    """Return n equal samples an arm, in time order."""
    rng = np.random.default_rng(seed)
    return [
        {
            "ts": 1.7e9 + i + place / len(arms),
            "request_id": f"r{i}-{arm}",
            "arm": arm,
            "refused": bool(rng.random() < 0.02),
            "latency_ms": round(float(rng.lognormal(6, 0.3)), 1),
        }
        for i in range(n)
        for place, arm in enumerate(arms)
    ]


def lines(samples: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in samples)


def told(report: Report) -> dict[str, str]:
    return {check.name: check.reason for check in report.checks}


def judged(samples: object, policy: object = POLICY, look_every: int | None = None) -> dict[str, Any]:
    return to_dict(analyze(samples, policy, look_every))  # type: ignore[arg-type]


def refused(path: Path, content: bytes) -> str:
    """Return what is said of a file with this content."""
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        analyze(path, POLICY)
    return str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_inconclusive(tmp_path: Path, content: bytes):
    (tmp_path / "s.jsonl").write_bytes(content)
    report = analyze(tmp_path / "s.jsonl", POLICY)
    assert report.verdict is VerdictKind.HOLD
    assert {finding.ruling for finding in report.findings} == {Ruling.INCONCLUSIVE}


@pytest.mark.parametrize("arm", ["baseline", "candidate"])
@pytest.mark.parametrize("look_every", [None, 50])
def test_one_arm_alone_is_inconclusive(arm: str, look_every: int | None):
    report = analyze(good(arms=(arm,)), POLICY, look_every)
    assert report.verdict is VerdictKind.HOLD
    assert {finding.ruling for finding in report.findings} == {Ruling.INCONCLUSIVE}


@pytest.mark.parametrize("text", [b"NaN", b"Infinity", b"-Infinity"])
def test_nan_and_infinity_in_json_are_named(tmp_path: Path, text: bytes):
    said = refused(tmp_path / "s.jsonl", lines(good(1)) + b'{"arm": "candidate", "latency_ms": ' + text + b"}\n")
    assert "s.jsonl:3: " in said
    assert "a missing number is null" in said


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), np.float64("nan"), 10**400])
def test_nan_and_infinity_in_memory_are_named(value: float):
    with pytest.raises(InputError, match=r"sample 3: latency_ms is .*; expected a finite number, 0 or more"):
        analyze([*good(1), {"arm": "candidate", "latency_ms": value}], POLICY)


def test_infinity_in_a_frame_is_named_and_nan_is_missing():
    frame = pd.DataFrame(good(5))
    frame.loc[3, "latency_ms"] = np.nan
    assert judged(frame)["findings"][1]["candidate"]["n"] == 4
    frame.loc[6, "latency_ms"] = np.inf
    with pytest.raises(InputError, match="row 7: latency_ms is inf"):
        analyze(frame, POLICY)


def test_a_negative_latency_is_named(tmp_path: Path):
    said = refused(tmp_path / "s.jsonl", lines([*good(1), {"arm": "candidate", "latency_ms": -0.5}]))
    assert "s.jsonl:3: latency_ms is -0.5; expected a finite number, 0 or more" in said


def test_repeated_request_ids_count_once():
    samples = good(100)
    report = analyze(samples + samples[:30], POLICY)
    assert to_dict(report)["findings"] == judged(samples)["findings"]
    assert told(report)["repeats"].startswith("30 samples repeat a request_id in the same arm")


def test_the_same_request_id_in_both_arms_is_no_repeat():
    samples = [{**row, "request_id": row["request_id"].split("-")[0]} for row in good(100)]
    assert "repeats" not in told(analyze(samples, POLICY))


def test_rows_out_of_order_are_judged_in_order(tmp_path: Path):
    samples = good()
    mixed = [samples[i] for i in np.random.default_rng(0).permutation(len(samples))]
    (tmp_path / "s.jsonl").write_bytes(lines(mixed))
    assert judged(tmp_path / "s.jsonl", look_every=50) == judged(samples, look_every=50)


def test_a_row_from_the_future_is_kept_judged_last_and_told():
    samples = good()
    ahead = {**samples[100], "ts": 4.07e9, "request_id": "ahead"}
    report = analyze([*samples[:50], ahead, *samples[50:]], POLICY)
    assert report.decided_at is not None
    assert report.decided_at["ts"] == 4.07e9
    assert report.decided_at["samples"] == 801
    assert "1 of 801 samples are dated" in told(report)["time"]
    assert "2098-12-21" in told(report)["time"]
    assert "time" not in told(analyze(samples, POLICY))


def test_milliseconds_for_seconds_are_told():
    samples = [{**row, "ts": row["ts"] * 1e3} for row in good()]
    assert "expected unix seconds" in told(analyze(samples, POLICY))["time"]


def test_two_recordings_a_week_apart_are_no_stray_rows():
    samples = [*good(100), *({**row, "ts": row["ts"] + 6e5, "request_id": None} for row in good(100))]
    assert "time" not in told(analyze(samples, POLICY))


def test_a_row_without_time_stands_where_it_was_written(tmp_path: Path):
    samples = good()
    bare = [{k: v for k, v in row.items() if k != "ts" or i % 3} for i, row in enumerate(samples)]
    (tmp_path / "s.jsonl").write_bytes(lines(bare))
    assert judged(tmp_path / "s.jsonl", look_every=40)["findings"] == judged(samples, look_every=40)["findings"]


@pytest.mark.parametrize("arm", ["canary", "", "Baseline", None, 1])
def test_an_unknown_arm_is_named(tmp_path: Path, arm: object):
    said = refused(tmp_path / "s.jsonl", lines([*good(1), {"arm": arm}]))
    assert "s.jsonl:3: " in said
    with pytest.raises(InputError, match=r"sample 3: arm is .*; expected baseline, candidate, control"):
        analyze([*good(1), {"arm": arm}], POLICY)


def test_times_of_mixed_kinds_are_read(tmp_path: Path):
    samples = good(90)
    words = [
        lambda ts: ts,
        lambda ts: pd.Timestamp(ts, unit="s", tz="UTC").isoformat(),
        lambda ts: pd.Timestamp(ts, unit="s").isoformat() + "Z",
        lambda ts: pd.Timestamp(ts, unit="s", tz="UTC").tz_convert("Asia/Tokyo").isoformat(),
        lambda ts: pd.Timestamp(ts, unit="s").isoformat(),
    ]
    mixed = [{**row, "ts": words[i % len(words)](row["ts"])} for i, row in enumerate(samples)]
    (tmp_path / "s.jsonl").write_bytes(lines(mixed))
    assert judged(tmp_path / "s.jsonl", look_every=20) == judged(samples, look_every=20)
    zulu = [{**row, "ts": words[2](row["ts"])} for row in samples]
    assert judged(zulu, look_every=20) == judged(samples, look_every=20)
    assert judged(pd.DataFrame(zulu), look_every=20) == judged(samples, look_every=20)


def test_a_last_line_that_is_cut_off_is_named(tmp_path: Path):
    said = refused(tmp_path / "s.jsonl", lines(good(2))[:-30])
    assert "s.jsonl:4: not a JSON object" in said
    assert "the line is cut off" in said


def test_a_last_line_without_a_newline_counts(tmp_path: Path):
    (tmp_path / "s.jsonl").write_bytes(lines(good(50))[:-1])
    assert judged(tmp_path / "s.jsonl")["findings"] == judged(good(50))["findings"]


def test_a_gz_that_is_cut_off_or_none_is_refused(tmp_path: Path):
    packed = gzip.compress(lines(good()))
    assert "s.jsonl.gz: Compressed file ended" in refused(tmp_path / "s.jsonl.gz", packed[:-40])
    assert "s.jsonl.gz: " in refused(tmp_path / "s.jsonl.gz", packed[:50] + b"\xff" * 20 + packed[70:])
    assert "s.jsonl.gz: Not a gzipped file" in refused(tmp_path / "s.jsonl.gz", lines(good(1)))


def test_a_parquet_file_that_is_none_is_refused(tmp_path: Path):
    assert "s.parquet: " in refused(tmp_path / "s.parquet", lines(good(1)))


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path):
    (tmp_path / "s.jsonl").write_bytes(b"\xef\xbb\xbf" + lines(good(60)).replace(b"\n", b"\r\n"))
    assert judged(tmp_path / "s.jsonl") == judged(good(60))
    assert "expected UTF-8" in refused(tmp_path / "s.jsonl", lines(good(1)).decode().encode("utf-16"))
    assert "s.jsonl:1: " in refused(tmp_path / "s.jsonl", b'{"arm": "baseline", "request_id": "\xff"}\n')


def test_a_huge_line_is_read_and_an_endless_one_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    samples = good(60)
    samples[7]["request_id"] = samples[9]["request_id"] = "x" * 3_000_000
    samples[8]["prompt"] = "y" * 3_000_000
    (tmp_path / "s.jsonl").write_bytes(lines(samples))
    report = analyze(tmp_path / "s.jsonl", POLICY)
    assert "1 samples repeat" in told(report)["repeats"]
    monkeypatch.setattr("gatekeeper.flow._lines.LONGEST_LINE", 1 << 21)
    endless = lines(good(2)) + b"z" * 5_000_000
    assert "s.jsonl:5: a line of more than 2 MiB" in refused(tmp_path / "s.jsonl", endless)


def numbers(baseline: list[float], candidate: list[float]) -> list[dict[str, Any]]:
    both = [("baseline", x) for x in baseline] + [("candidate", x) for x in candidate]
    return [{"arm": arm, "latency_ms": x, "refused": x > 0} for arm, x in both]


def test_seven_large_values_against_ten_small_never_pass():
    """A rank test called 7 x 100 and 3 x 1 against 10 x 1 equal."""
    policy = {**ALPHA, "metrics": {"latency_ms.p50": {"max_increase": "10%"}, "latency_ms": {"max_increase": "10%"}}}
    report = analyze(numbers([1.0] * 10, [100.0] * 7 + [1.0] * 3), policy)
    assert report.verdict is not VerdictKind.PROMOTE
    assert all(finding.ruling is not Ruling.PASS for finding in report.findings)
    assert all(finding.reason for finding in report.findings)


def test_an_all_zero_baseline_against_five_of_ten_never_passes():
    """A judge that skips metrics of empty baselines passed it."""
    report = analyze(
        numbers([0.0] * 10, [5.0] * 5 + [0.0] * 5), {**ALPHA, "metrics": {"refusal_rate": {"max_increase": 0}}}
    )
    assert report.verdict is not VerdictKind.PROMOTE
    assert report.findings[0].ruling is not Ruling.PASS
    assert report.findings[0].baseline.value == 0.0
    assert report.findings[0].candidate.value == 0.5


def test_six_sparse_samples_are_inconclusive():
    policy = {"metrics": {"latency_ms.p95": {"max_increase": "10%"}, "refusal_rate": {"max_increase": "1pp"}}}
    report = analyze(numbers([0.0, 0.0, 1.0], [0.0, 1.0, 0.0]), policy)
    assert report.verdict is VerdictKind.HOLD
    assert {finding.ruling for finding in report.findings} == {Ruling.INCONCLUSIVE}


def test_a_wider_spread_at_the_same_location_is_seen_by_the_p95():
    rng = np.random.default_rng(2)
    same, wider = 100 + rng.uniform(-10, 10, 1_500), 100 + rng.uniform(-90, 90, 1_500)
    policy = {"metrics": {"latency_ms.p95": {"max_increase": "20%"}}}
    report = analyze(numbers(list(same), list(wider)), policy)
    assert report.findings[0].ruling is Ruling.FAIL


def test_a_control_stands_in_the_baselines_place():
    """Baseline users have warm caches; the control, like the candidate, has not."""
    rows = good(arms=("baseline", "control", "candidate"))
    samples = [{**row, "latency_ms": row["latency_ms"] * (1 if row["arm"] == "baseline" else 3)} for row in rows]
    report = analyze(samples, POLICY)
    assert report.verdict is VerdictKind.PROMOTE
    assert "compared with the control; 400 baseline samples are left out" in told(report)["control"]
    without = analyze([row for row in samples if row["arm"] != "control"], POLICY)
    assert without.verdict is VerdictKind.ROLLBACK
    assert "control" not in told(without)


def test_a_few_control_rows_are_left_out_and_told():
    samples = [row for i, row in enumerate(good(arms=("baseline", "control", "candidate"))) if i % 3 != 1 or i < 60]
    assert "20 control samples are left out" in told(analyze(samples, POLICY))["control"]


def test_pairs_are_compared_with_the_baseline_whatever_control_there_is():
    rows = good(200, arms=("baseline", "control", "candidate"))
    samples = [{**row, "pair_id": f"p{i // 3}"} for i, row in enumerate(rows)]
    report = analyze(samples, POLICY)
    assert {finding.paired for finding in report.findings} == {True}
    assert "200 control samples are left out: the data are pairs" in told(report)["control"]
