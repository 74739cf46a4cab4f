"""A report in the form that was asked for, and the exit code that goes with it."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, assert_never

from gatekeeper.model.finding import VerdictKind
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from gatekeeper.model.finding import Report

_EXIT_CODES = {VerdictKind.PROMOTE: 0, VerdictKind.ROLLBACK: 1, VerdictKind.HOLD: 3}


class ReportFormat(StrEnum):
    """Name the forms a report can be had in."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    JUNIT = "junit"


def exit_code(report: Report) -> int:
    """Return 0 for promote, 1 for rollback, 3 for hold."""
    return _EXIT_CODES[report.verdict]


def render(
    report: Report,
    format: ReportFormat | Literal["text", "json", "markdown", "junit"],  # noqa: A002 - the option's own name
    *,
    title: str = "",
) -> str:
    """Return the report in one of its forms; title: what was judged, for people.

    Raises:
        ValueError: there is no such format.
    """
    wanted = ReportFormat(format)
    match wanted:
        case ReportFormat.JSON:
            return json.dumps(to_dict(report), indent=2, ensure_ascii=False, allow_nan=False)
        case ReportFormat.TEXT:
            from gatekeeper.cli._render_text import text  # noqa: PLC0415 - one form is wanted, the others cost time

            return text(report, title=title)
        case ReportFormat.MARKDOWN:
            from gatekeeper.cli._render_markdown import markdown  # noqa: PLC0415 - as above

            return markdown(report, title=title)
        case ReportFormat.JUNIT:
            from gatekeeper.cli._render_junit import junit  # noqa: PLC0415 - as above

            return junit(report, title=title)
        case _:
            assert_never(wanted)
