"""Labels of pairs against what the detector said: the corrected rates move the way the labels say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from gatekeeper import analyze
from gatekeeper.errors import InputError
from gatekeeper.flow.correct import corrections, read_labels
from gatekeeper.model import schema
from gatekeeper.model.correction import PairLabel
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from pathlib import Path

POLICY = {"metrics": {"refusal_rate": {"max_increase": "1pp"}}}
DISCORDANT = 60


def rows(*, both: int = 20, baseline: int = 0, candidate: int = DISCORDANT, neither: int = 920) -> list[dict[str, Any]]:
    kinds = (
        [(True, True)] * both + [(True, False)] * baseline + [(False, True)] * candidate + [(False, False)] * neither
    )
    return [
        {"ts": number, "request_id": f"{arm}{number}", "arm": arm, "pair_id": f"p{number}", "refused": flag}
        for number, flags in enumerate(kinds)
        for arm, flag in zip(("baseline", "candidate"), flags, strict=True)
    ]


def labels(first: int, count: int, *, baseline: bool, candidate: bool) -> list[PairLabel]:
    return [
        PairLabel(pair_id=f"p{number}", metric="refusal_rate", baseline=baseline, candidate=candidate)
        for number in range(first, first + count)
    ]


def test_sixty_discordant_pairs_that_are_no_refusals_take_the_candidates_rate_down():
    wrong = labels(20, 45, baseline=False, candidate=False) + labels(65, 15, baseline=False, candidate=True)
    (found,) = corrections(rows(), wrong)
    assert found.candidate.raw == 0.08
    assert found.candidate.value == pytest.approx(0.02 + 0.015)
    assert found.baseline.value == found.baseline.raw == 0.02
    assert found.difference.raw == 0.06
    assert found.difference.value == pytest.approx(0.015)
    assert found.difference.lower <= found.difference.value <= found.difference.upper < found.difference.raw
    assert found.candidate_errors.false_flags is not None
    assert found.candidate_errors.false_flags.value == pytest.approx(0.75)
    assert (found.discordant, found.labelled) == (60, 60)
    assert found.taken == pytest.approx(0.94)
    assert "only pairs in which the detector's answers differ" in found.note


def test_sixty_discordant_pairs_that_the_detector_missed_take_the_baselines_rate_up():
    (found,) = corrections(rows(), labels(20, 60, baseline=True, candidate=True))
    assert found.baseline.value == pytest.approx(0.08)
    assert found.candidate.value == found.candidate.raw
    assert found.difference.value == 0.0


def test_labels_that_agree_with_the_detector_change_nothing():
    (found,) = corrections(
        rows(baseline=10),
        labels(20, 10, baseline=True, candidate=False) + labels(30, 60, baseline=False, candidate=True),
    )
    for rate in (found.baseline, found.candidate, found.difference):
        assert rate.value == pytest.approx(rate.raw)
        assert rate.lower < rate.raw < rate.upper


def test_labels_of_every_kind_need_no_assumption():
    every = labels(0, 10, baseline=True, candidate=True) + labels(20, 30, baseline=False, candidate=True)
    (found,) = corrections(rows(), [*every, *labels(100, 50, baseline=False, candidate=False)])
    assert found.taken == 0.0
    assert "every kind of pair" in found.note
    assert found.baseline_errors.missed is not None
    assert found.baseline_errors.missed.labelled == 80


def test_failed_and_unpaired_answers_are_no_pairs():
    some = rows()
    some[0]["error"] = "timeout"
    del some[-1]
    (found,) = corrections(some, labels(20, 5, baseline=False, candidate=True))
    assert found.pairs == 998


def test_labels_of_other_samples_are_refused():
    with pytest.raises(InputError, match="none of 2 pair_ids is a pair in these samples"):
        corrections(rows(), labels(5000, 2, baseline=False, candidate=True))


def test_a_report_shows_both_and_decides_by_the_raw_ones(tmp_path: Path):
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(json.dumps(to_dict(label)) for label in labels(20, 60, baseline=False, candidate=False)))
    plain, shown = analyze(rows(), POLICY), analyze(rows(), POLICY, labels=path)
    assert shown.corrections[0].candidate.value < shown.corrections[0].candidate.raw
    assert (plain.verdict, plain.findings) == (shown.verdict, shown.findings)
    assert not plain.corrections
    Draft202012Validator(schema.load("report")).validate(json.loads(json.dumps(to_dict(shown))))


def test_the_later_of_two_labels_counts_and_bad_lines_are_all_named(tmp_path: Path):
    path = tmp_path / "labels.jsonl"
    line = {"pair_id": "p1", "metric": "refusal_rate", "baseline": False, "candidate": True}
    path.write_text(f"{json.dumps(line)}\n\n{json.dumps(line | {'candidate': False})}\n")
    assert [label.candidate for label in read_labels(path)] == [False]
    path.write_text(f"{json.dumps(line)}\nno\n{json.dumps(line | {'metric': 'cost_usd'})}\n{{}}\n")
    with pytest.raises(InputError) as caught:
        read_labels(path)
    said = str(caught.value)
    assert all(f"{path}:{number}:" in said for number in (2, 3, 4))
    assert "known: degeneration_rate" in said


def test_samples_that_can_be_read_only_once_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="read twice"):
        analyze(iter(rows()), POLICY, labels=tmp_path / "none.jsonl")
