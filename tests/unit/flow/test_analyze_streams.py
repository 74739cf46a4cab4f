"""Recorded data too large to hold: judged run by run, in bounded memory, nothing lost uncounted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatekeeper import analyze
from gatekeeper.flow import _repeats, _tables
from gatekeeper.flow._readers import read_samples
from gatekeeper.model.finding import Report, VerdictKind
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLICY = {"segments": ["workload"], "metrics": {"refusal_rate": {"max_increase": "5pp"}}}
HELD = 300


@pytest.fixture(autouse=True)
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatekeeper.flow.analyze.MOST_HELD", HELD)
    monkeypatch.setattr("gatekeeper.flow._readers.ROWS_AT_ONCE", 50)


def rows(n: int = 3_000, *, refused: float = 0.02, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - fields
    """Return n samples in time order, arms in turn."""
    rng = np.random.default_rng(5)
    return [
        {
            "ts": 1.7e9 + i,
            "request_id": f"r{i}",
            "arm": ("baseline", "candidate")[i % 2],
            "segment": {"workload": "abc"[i // 2 % 3]},
            "refused": bool(rng.random() < (refused if i % 2 else 0.02)),
            **{key: make(i) for key, make in more.items()},
        }
        for i in range(n)
    ]


def told(report: Report) -> dict[str, str]:
    return {check.name: check.reason for check in report.checks}


def counted(report: Report) -> int:
    whole = next(finding for finding in report.findings if finding.segment is None)
    return whole.baseline.n + whole.candidate.n


def test_looks_run_across_runs_of_rows():
    samples = rows()
    for every in (70, 299, 1):
        streamed, held = analyze(iter(samples[:900]), POLICY, every), analyze(samples[:900], POLICY, every)
        assert to_dict(streamed) == to_dict(held)


def test_a_stream_without_looks_counts_every_row():
    report = analyze(iter(rows()), POLICY)
    assert counted(report) == 3_000
    assert {finding.segment for finding in report.findings} == {None, "workload=a", "workload=b", "workload=c"}
    assert not {"late", "repeats", "pairs"} & {*told(report)}


def test_reading_stops_at_the_first_decision():
    read = 0

    def source() -> Iterator[dict[str, Any]]:
        nonlocal read
        for row in rows(20_000, refused=0.4):
            read += 1
            yield row

    report = analyze(source(), POLICY, look_every=20)
    assert report.verdict is VerdictKind.ROLLBACK
    assert read < 1_000


def test_disorder_over_the_edge_of_a_run_is_mended():
    samples = rows()
    rng = np.random.default_rng(1)
    near = sorted(range(len(samples)), key=lambda i: i + rng.uniform(0, 80))
    mixed = [samples[i] for i in near]
    report = analyze(iter(mixed), POLICY, 40)
    assert to_dict(report) == to_dict(analyze(samples, POLICY, 40))


def test_a_late_row_is_judged_with_the_next_and_counted():
    samples = rows()
    samples.append(samples.pop(10))
    report = analyze(iter(samples), POLICY)
    assert counted(report) == 3_000
    assert told(report)["late"].startswith("1 samples came after newer ones were judged")


def test_repeats_are_found_among_the_newest_ids(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_repeats, "MOST_REMEMBERED", 500)
    samples = rows()
    near = samples[:1_000] + samples[800:820] + samples[1_000:]
    report = analyze(iter(near), POLICY)
    assert counted(report) == 3_000
    assert told(report)["repeats"].startswith("20 samples")
    far = samples + samples[:20]
    assert counted(analyze(iter(far), POLICY)) == 3_020


def pair_rows(n: int = 3_000, *, gap: int = 0) -> list[dict[str, Any]]:
    """Return pairs of which the candidate's half comes `gap` rows after the baseline's."""
    halves = rows(n, pair_id=lambda i: f"p{i // 2}")
    return [
        {**row, "ts": 1.7e9 + at}
        for at, (_, row) in enumerate(sorted(enumerate(halves), key=lambda item: item[0] + gap * (item[0] % 2)))
    ]


def test_halves_of_pairs_wait_for_each_other():
    for gap in (0, 60):
        samples = pair_rows(gap=gap)
        report = analyze(iter(samples), POLICY, 64)
        assert {finding.paired for finding in report.findings} == {True}
        assert to_dict(report) == to_dict(analyze(samples, POLICY, 64))


def test_a_half_without_a_partner_is_left_out_and_counted(monkeypatch: pytest.MonkeyPatch):
    samples = [row for i, row in enumerate(pair_rows()) if i not in {600, 1_000}]
    report = analyze(iter(samples), POLICY)
    assert counted(report) == 2_996
    assert told(report)["pairs"].startswith("2 samples have no partner")
    monkeypatch.setattr("gatekeeper.flow._pairing.MOST_WAITING", 5)
    far = pair_rows()
    moved = [row for i, row in enumerate(far) if i % 100 != 40] + [far[i] for i in range(40, 3_000, 100)]
    report = analyze(iter(moved), POLICY)
    left_out = int(told(report)["pairs"].split()[0])
    assert counted(report) + left_out == 3_000
    assert left_out > 20


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_files_are_judged_as_their_rows_are(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch):
    samples, path = rows(), tmp_path / f"s.{kind}"
    if kind == "jsonl":
        path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in samples))
        monkeypatch.setattr("gatekeeper.flow._lines.BLOCK_BYTES", 4096)
    else:
        pq.write_table(pa.Table.from_pylist(samples), path, row_group_size=128)
        monkeypatch.setattr(_tables, "ROWS_AT_ONCE", 64)
    report = analyze(path, POLICY, 40)
    assert to_dict(report) == to_dict(analyze(iter(samples), POLICY, 40))
    assert report.verdict is VerdictKind.PROMOTE


@pytest.mark.parametrize("name", ["s.jsonl", "s.jsonl.gz", "s.parquet"])
def test_progress_ends_at_the_files_size(tmp_path: Path, name: str):
    table, path, seen = pa.Table.from_pylist(rows(200)), tmp_path / name, []
    if name.endswith("parquet"):
        pq.write_table(table, path)
    else:
        with pa.output_stream(path, compression="gzip" if name.endswith("gz") else None) as file:
            file.write(b"".join(json.dumps(row).encode() + b"\n" for row in table.to_pylist()))
    analyze(path, POLICY, tick=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == path.stat().st_size


def test_segments_beyond_those_told_apart_count_for_all_traffic(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gatekeeper.flow._labels.MOST_LABELS", 10)
    samples = [{**row, "segment": {"workload": f"w{i // 50}"}} for i, row in enumerate(rows())]
    report = analyze(iter(samples), POLICY)
    assert counted(report) == 3_000
    assert len({finding.segment for finding in report.findings}) == 11


def test_ids_have_the_same_code_from_every_origin():
    from gatekeeper.flow._ids import id_codes  # noqa: PLC0415 - of this test alone
    from gatekeeper.flow._rows import Wanted  # noqa: PLC0415 - as above

    ids = ["a", "bb", None, "héé", "a", "", "x" * 300, "user-1", 7, "7"]
    codes = id_codes(ids)
    assert codes[2] == -1
    assert codes[0] == codes[4]
    assert codes[8] == codes[9]
    assert len(set(codes.tolist())) == len(ids) - 2
    samples = [{"arm": "baseline", "request_id": one if one is None else str(one)} for one in ids]
    wanted = Wanted(fields=(), keys=("segment",))
    for origin in (samples, pa.Table.from_pylist(samples), pa.Table.from_pylist(samples).slice(0, 10)):
        assert [part.requests.tolist() for part in read_samples(origin, wanted).parts] == [codes.tolist()]


def test_no_more_rows_are_held_than_allowed():
    from gatekeeper.flow._order import InOrder  # noqa: PLC0415 - of this test alone
    from gatekeeper.flow._rows import Wanted  # noqa: PLC0415 - as above

    read = handed_out = most = 0

    def source() -> Iterator[dict[str, Any]]:
        nonlocal read, most
        for row in rows(5_000):
            read += 1
            most = max(most, read - handed_out)
            yield row

    for run, _ in InOrder(most=HELD).runs(read_samples(source(), Wanted(fields=(), keys=("segment",))).parts):
        handed_out += len(run)
    assert handed_out == read == 5_000
    assert most <= HELD + 50


def test_arrow_columns_of_any_type_give_the_same_report():
    plain = pa.Table.from_pylist(
        [{**row, "error": "timeout" if i % 90 == 7 else None} for i, row in enumerate(rows(400))]
    )
    expected = to_dict(analyze(plain, POLICY, 50))
    ts = pa.array([int(t * 1e9) for t in plain["ts"].to_pylist()])
    variants = {
        "ts": [
            ts.cast(pa.timestamp("ns")),
            ts.cast(pa.timestamp("ns", tz="Asia/Tokyo")),
            ts.cast(pa.timestamp("ns")).cast(pa.timestamp("ms")),
            pa.array([int(t) for t in plain["ts"].to_pylist()]),
        ],
        "arm": [plain["arm"].combine_chunks().dictionary_encode(), plain["arm"].cast(pa.string_view())],
        "request_id": [
            plain["request_id"].cast(pa.large_string()),
            plain["request_id"].cast(pa.string_view()),
            plain["request_id"].combine_chunks().dictionary_encode(),
            pa.array(range(400)),
        ],
        "error": [
            pa.array([one is not None for one in plain["error"].to_pylist()]),
            plain["error"].cast(pa.large_string()),
        ],
        "refused": [pa.array([float(one) for one in plain["refused"].to_pylist()]), plain["refused"].cast(pa.int8())],
        "segment": [
            pa.array([list(one.items()) for one in plain["segment"].to_pylist()], pa.map_(pa.string(), pa.string()))
        ],
    }
    for name, columns in variants.items():
        for column in columns:
            table = plain.set_column(plain.column_names.index(name), name, column)
            assert to_dict(analyze(table, POLICY, 50)) == expected, (name, column.type)
    assert to_dict(analyze(pa.concat_tables([plain.slice(0, 7), plain.slice(7)]), POLICY, 50)) == expected
    assert to_dict(analyze(plain.to_pandas(), POLICY, 50)) == expected
