"""`gatekeeper publish`: show a report where a change is reviewed."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - Typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli._console import note
from gatekeeper.cli._render import ReportFormat, render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.model.gate import GateReport


def command(
    report: Annotated[Path, typer.Argument(help="Report, as `--format json --output REPORT` writes it.")],
    *,
    to: Annotated[str, typer.Option(help="Code host: github or gitlab.")],
    title: Annotated[str, typer.Option(help="What was judged, for people.")] = "",
    key: Annotated[str, typer.Option(help="Names the one comment that is kept up to date.")] = "gate",
    comment: Annotated[bool, typer.Option(help="Comment on the pull or merge request.")] = True,
) -> None:
    """Show a report in a job's summary, as annotations and outputs, and in one comment that is kept up to date.

    Exits with 0 whatever the report says, and where no comment could be written: the gate's own exit code decides.
    """
    from gatekeeper import registry  # noqa: PLC0415 - needed only when run
    from gatekeeper.adapters.comments._thread import upsert  # noqa: PLC0415 - as above
    from gatekeeper.cli._publish_length import shortened  # noqa: PLC0415 - as above
    from gatekeeper.errors import WorldError  # noqa: PLC0415 - as above

    host = registry.load("adapters.comments", to)
    read = _read(report)
    markdown = render(read, ReportFormat.MARKDOWN, title=title)
    if to == "github":
        _github(read, report, markdown, os.environ)
    if not comment:
        return
    thread = host.thread(os.environ)
    if thread is None:
        note("no comment: this job runs for no pull or merge request, or has no token")
        return
    marker = f"<!-- gatekeeper: {key.replace('--', '-')} -->"
    try:
        address = upsert(thread, marker, shortened(f"{marker}\n{markdown}", thread.most_chars))
    except WorldError as exc:
        note(f"no comment: {exc}; the token needs leave to write to pull or merge requests")
        return
    note(f"commented: {address}" if address else "commented")


def _read(path: Path) -> GateReport:
    """Read a report.

    Raises:
        InputError: it is none.
    """
    import orjson  # noqa: PLC0415 - needed only when run

    from gatekeeper.cli._files import read_text  # noqa: PLC0415 - as above
    from gatekeeper.errors import InputError  # noqa: PLC0415 - as above
    from gatekeeper.model.gate import GateReport  # noqa: PLC0415 - as above
    from gatekeeper.model.wire import from_dict  # noqa: PLC0415 - as above

    try:
        return from_dict(GateReport, orjson.loads(read_text(path)))
    except (orjson.JSONDecodeError, InputError) as exc:
        raise InputError(f"{path}: {exc}; expected a report as `--format json` writes it") from exc


def _github(report: GateReport, path: Path, markdown: str, environ: Mapping[str, str]) -> None:
    """Write summary, outputs and annotations."""
    from gatekeeper.cli import _publish_github as github  # noqa: PLC0415 - needed only when run
    from gatekeeper.cli._console import emit  # noqa: PLC0415 - as above
    from gatekeeper.cli._render_words import plain  # noqa: PLC0415 - as above

    github.write_summary(markdown, environ)
    missing = report.samples_missing
    outputs = {
        "verdict": str(report.verdict),
        "reason": plain(report.reasons[0]) if report.reasons else "",
        "samples-missing": "" if missing is None else str(missing),
        "report": str(path),
    }
    github.write_outputs(outputs, environ)
    emit("\n".join(github.notices(report)))
