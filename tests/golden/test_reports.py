"""A report in each of its forms, as people and CI systems have come to know them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from gatekeeper.cli._render import exit_code, render
from gatekeeper.model import schema
from gatekeeper.model.finding import ArmValue, Check, Effect, Finding, Report, Ruling, VerdictKind

HERE = Path(__file__).parent / "reports"
HOSTILE = "tier=|gold`@all <b>\x1b[31m\x00&]]>"


def finding(metric: str, ruling: str, effect: Effect, margin: float | None, **others: object) -> Finding:
    base = Finding(
        metric=metric,
        segment=None,
        ruling=Ruling(ruling),
        test="two_proportion-1",
        paired=False,
        baseline=ArmValue(n=2000, value=0.02),
        candidate=ArmValue(n=2000, value=0.061),
        effect=effect,
        margin=margin,
        alpha=0.01,
        samples_needed=None,
        reason=f"{metric} was looked at",
    )
    return replace(base, **others)


NOTHING = ArmValue(n=0, value=None)
REPORT = Report(
    verdict=VerdictKind.ROLLBACK,
    judge="sequential-1",
    policy_digest="ab" * 32,
    decided_at={"look": 4, "samples": 4000, "ts": 1767225600.0},
    reasons=("refusal_rate is up 4.10 pp [2.90, 5.60], margin 1 pp", "ttft_ms.p95 is undecided"),
    findings=(
        finding("json_validity", "pass", Effect(estimate=0.001, lower=-0.003, upper=0.004, unit="pp"), 0.005),
        finding("refusal_rate", "fail", Effect(estimate=0.041, lower=0.029, upper=0.056, unit="pp"), 0.01),
        finding(
            "refusal_rate",
            "inconclusive",
            Effect(estimate=0.001, lower=-0.02, upper=None, unit="pp"),
            0.01,
            segment=HOSTILE,
            samples_needed=1900,
        ),
        finding(
            "ttft_ms.p95",
            "inconclusive",
            Effect(estimate=0.055, lower=-0.01, upper=0.13, unit="ratio"),
            0.1,
            baseline=ArmValue(n=1990, value=900.0),
            candidate=ArmValue(n=2000, value=949.5),
        ),
        finding(
            "task_success",
            "error",
            Effect(estimate=None, lower=None, upper=None, unit="pp"),
            0.02,
            baseline=NOTHING,
            candidate=NOTHING,
            reason="no sample has task_success",
        ),
        finding(
            "feedback_score",
            "inconclusive",
            Effect(estimate=None, lower=None, upper=None, unit="score"),
            None,
            baseline=NOTHING,
            candidate=NOTHING,
        ),
        finding("error_rate", "pass", Effect(estimate=0.0, lower=0.0, upper=0.0, unit="pp"), 0.0),
        finding(
            "error_rate", "pass", Effect(estimate=0.012, lower=0.008, upper=0.019, unit="pp"), 0.05, test="rate_limit-1"
        ),
        finding("extra.quality", "pass", Effect(estimate=0.01, lower=-0.01, upper=0.03, unit=""), 0.05, increase=False),
    ),
    checks=(Check(name="sample_ratio", ruling=Ruling.PASS, reason="1,990 to 2,000 is as wanted"),),
)


@pytest.mark.parametrize("form", ["text", "json", "markdown", "junit"])
def test_each_form_is_as_it_was(form: str) -> None:
    assert render(REPORT, form, title="support-bot: a → b") == (HERE / f"rollback.{form}").read_text(encoding="utf-8")


@pytest.mark.parametrize(("verdict", "code"), [("promote", 0), ("rollback", 1), ("hold", 3)])
def test_text_and_exit_code_come_from_one_object(verdict: str, code: int) -> None:
    report = replace(REPORT, verdict=VerdictKind(verdict))
    assert exit_code(report) == code
    assert render(report, "text").lower().startswith(f"{verdict}:")


def test_the_json_form_is_the_published_shape() -> None:
    Draft202012Validator(schema.load("report")).validate(json.loads(render(REPORT, "json")))


def test_junit_names_are_unique_and_its_counts_are_right() -> None:
    doubled = replace(REPORT, findings=REPORT.findings * 2)
    suite = ET.fromstring(render(doubled, "junit")).find("testsuite")  # noqa: S314 - our own output
    assert suite is not None
    names = [case.get("name") for case in suite]
    assert len(set(names)) == len(names) == 1 + 18 + 1
    counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "20", "failures": "3", "errors": "2", "skipped": "6"}


def test_no_form_lets_a_name_speak_to_the_terminal_or_the_page() -> None:
    assert "\x1b" not in render(REPORT, "text")
    markdown = render(REPORT, "markdown")
    assert "\x1b" not in markdown
    assert all(row.replace("\\|", "").count("|") == 10 for row in markdown.splitlines() if row.startswith("| `"))


def test_a_report_without_findings_is_no_good_news() -> None:
    empty = replace(REPORT, verdict=VerdictKind.HOLD, findings=(), checks=(), reasons=(), decided_at=None)
    assert render(empty, "text").startswith("Hold: no reason was recorded")
    assert 'skipped="1"' in render(empty, "junit")


def test_very_many_findings_stay_below_what_a_job_summary_takes() -> None:
    many = tuple(replace(REPORT.findings[1], segment=f"tenant=t{number}") for number in range(5000))
    assert len(render(replace(REPORT, findings=many), "markdown").encode()) < 1024 * 1024
