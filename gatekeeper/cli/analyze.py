"""`gatekeeper analyze`: judge recorded samples against a policy."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli._console import emit, progress
from gatekeeper.cli._render import ReportFormat, exit_code, render

INCONCLUSIVE = 3


class OnInconclusive(StrEnum):
    """Say what an inconclusive verdict is to a pipeline that knows only pass and fail."""

    PASS = "pass"  # noqa: S105 - a choice, not a password
    FAIL = "fail"


def command(
    samples: Annotated[str, typer.Argument(help="Samples: JSON lines, .gz or .parquet; - reads stdin.")],
    *,
    policy: Annotated[Path, typer.Option("--policy", "-p", help="Policy file: what the candidate must hold.")],
    look_every: Annotated[
        int | None, typer.Option(min=1, help="Look after each so many samples and stop at the first decision.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="People's labels of pairs: shows corrected rates beside the detectors'.")
    ] = None,
    format: Annotated[ReportFormat, typer.Option(help="Form of the report on stdout.")] = ReportFormat.TEXT,  # noqa: A002 - the option's name
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the report here too.")] = None,
    on_inconclusive: Annotated[
        OnInconclusive | None, typer.Option(help="Exit with 0 or 1 instead of 3 when nothing is decided.")
    ] = None,
) -> int:
    """Judge recorded samples: proven worse, proven within every margin, or neither yet.

    Exit codes: 0 promote, 1 rollback, 2 usage or bad input, 3 hold, 4 infrastructure.
    """
    from gatekeeper.cli._files import read_policy  # noqa: PLC0415 - needed only when run
    from gatekeeper.flow.analyze import analyze  # noqa: PLC0415 - as above

    asked, _ = read_policy(policy)
    there = Path(samples)
    known = samples != "-" and there.is_file()
    with progress(f"judging {samples}", there.stat().st_size if known else None) as tick:
        report = analyze(samples, asked, look_every, labels=labels, tick=tick)
    emit(render(report, format, title=samples), output=output)
    code = exit_code(report)
    if code == INCONCLUSIVE and on_inconclusive is not None:
        return 0 if on_inconclusive is OnInconclusive.PASS else 1
    return code
