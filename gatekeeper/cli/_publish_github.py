"""What a GitHub Actions step leaves behind: a job summary, annotations, and outputs for later steps."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.cli import _render_words as words
from gatekeeper.cli._publish_length import shortened
from gatekeeper.model.finding import Ruling, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gatekeeper.model.gate import GateReport

MOST_SUMMARY_BYTES = 1_000_000
MOST_ANNOTATIONS = 10
_LEVELS = {Ruling.FAIL: "error", Ruling.ERROR: "error", Ruling.INCONCLUSIVE: "warning"}
_VERDICTS = {VerdictKind.PROMOTE: "notice", VerdictKind.HOLD: "warning", VerdictKind.ROLLBACK: "error"}


def write_summary(markdown: str, environ: Mapping[str, str]) -> None:
    """Add the report to the job's summary."""
    if path := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(shortened(markdown, MOST_SUMMARY_BYTES))


def write_outputs(outputs: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Hand values on to later steps; each stands between lines that nobody can foresee."""
    if path := environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a", encoding="utf-8") as file:
            for name, value in outputs.items():
                fence = f"end-{secrets.token_hex(8)}"
                file.write(f"{name}<<{fence}\n{value}\n{fence}\n")


def notices(report: GateReport) -> Iterator[str]:
    """Yield up to MOST_ANNOTATIONS workflow commands: the verdict, then what is not a pass, worst first."""
    yield _command(_VERDICTS[report.verdict], "gatekeeper", words.sentence(report))
    shown = [finding for finding in words.worst_first(report.findings) if _counts(finding.ruling, finding.margin)]
    for finding in shown[: MOST_ANNOTATIONS - 1]:
        yield _command(_LEVELS[finding.ruling], words.name(finding), finding.reason)


def _counts(ruling: Ruling, margin: float | None) -> bool:
    return ruling in _LEVELS and margin is not None


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
