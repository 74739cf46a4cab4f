"""`gatekeeper gate`: the CI step."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - Typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli._console import emit
from gatekeeper.cli._render import ReportFormat, exit_code, render

if TYPE_CHECKING:
    from gatekeeper.cli._gate_arms import Wanted
    from gatekeeper.model.gate import GateReport

INCONCLUSIVE = 3


class OnInconclusive(StrEnum):
    """Say what an inconclusive verdict is to a pipeline that knows only pass and fail."""

    PASS = "pass"  # noqa: S105 - a choice, not a password
    FAIL = "fail"


class CacheUse(StrEnum):
    """Say what becomes of a baseline's answers that were kept."""

    USE = "use"
    REFRESH = "refresh"
    OFF = "off"


def command(
    *,
    policy: Annotated[Path, typer.Option(help="Policy file: what the candidate must hold.")],
    baseline: Annotated[str, typer.Option(help="URL of what serves users now, or ENGINE:MODEL to start one.")] = "",
    candidate: Annotated[
        str, typer.Option(help="URL of the release under test, or ENGINE:MODEL, as vllm:./model.")
    ] = "",
    against: Annotated[
        Path | None, typer.Option(help="Take the baseline's answers from this record instead of asking it.")
    ] = None,
    evalset: Annotated[Path | None, typer.Option(help="Evalset folder.  [default: that of the policy's gate]")] = None,
    model: Annotated[str, typer.Option(help="Model name both endpoints know.  [default: their first]")] = "",
    baseline_model: Annotated[str, typer.Option(help="The baseline's model name, where it differs.")] = "",
    candidate_model: Annotated[str, typer.Option(help="The candidate's model name, where it differs.")] = "",
    baseline_release: Annotated[
        str, typer.Option(help="The baseline's release (digest or version): its answers are then kept for later runs.")
    ] = "",
    candidate_release: Annotated[
        str, typer.Option(help="The candidate's release: an unfinished run goes on with the same one only.")
    ] = "",
    repeats: Annotated[int, typer.Option(min=0, help="How often each sample is asked; 0: as the evalset says.")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests in flight, over both arms together.")] = 8,
    timeout_s: Annotated[float, typer.Option(min=0.1, help="Longest silence of an endpoint, in seconds.")] = 60.0,
    max_failed: Annotated[
        float, typer.Option(min=0, max=1, help="Share of failed requests above which an endpoint is out of order.")
    ] = 0.2,
    api_key_env: Annotated[str, typer.Option(help="Environment variable that holds the endpoints' API key.")] = "",
    engine_flag: Annotated[
        list[str] | None, typer.Option(help="Flag for engines started here: NAME or NAME=VALUE.")
    ] = None,
    baseline_flag: Annotated[list[str] | None, typer.Option(help="Flag for the baseline's engine alone.")] = None,
    candidate_flag: Annotated[list[str] | None, typer.Option(help="Flag for the candidate's engine alone.")] = None,
    load: Annotated[str, typer.Option(help="Then raise the load: requests in flight at each step, as 1,4,16.")] = "",
    load_requests: Annotated[int, typer.Option(min=1, help="Requests of each arm at each step of the load.")] = 32,
    resume: Annotated[bool, typer.Option(help="Go on where a run that broke off had ended.")] = True,
    baseline_cache: Annotated[
        CacheUse, typer.Option(help="Use the baseline's kept answers, ask it anew and keep them, or do neither.")
    ] = CacheUse.USE,
    baseline_max_age_h: Annotated[
        float, typer.Option(min=0, help="Oldest answers of a baseline to be used, in hours.")
    ] = 168.0,
    format: Annotated[ReportFormat, typer.Option(help="Form of the report on stdout.")] = ReportFormat.TEXT,  # noqa: A002 - the option's name
    output: Annotated[Path | None, typer.Option(help="Write the report here too.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the report as JUnit XML here.")] = None,
    record: Annotated[Path | None, typer.Option(help="Write every answer here, a JSON object a line.")] = None,
    on_inconclusive: Annotated[
        OnInconclusive | None, typer.Option(help="Exit with 0 or 1 instead of 3 when nothing is proven.")
    ] = None,
) -> int:
    """Ask both arms the same prompts and judge the candidate by the policy.

    Exit codes: 0 pass, 1 regression, 2 usage or bad input, 3 inconclusive, 4 infrastructure.
    """
    from gatekeeper.cli._gate_memory import BaselineCache, Habits  # noqa: PLC0415 - needed only when run
    from gatekeeper.cli._gate_run import GateOptions, run_gate  # noqa: PLC0415 - as above
    from gatekeeper.errors import GatekeeperError  # noqa: PLC0415 - as above

    told = _Told(
        format=format, output=output, junit=junit, title=_title(evalset or policy, candidate, against or baseline)
    )
    try:
        options = GateOptions(
            policy=policy,
            evalset=evalset,
            baseline=_wanted(baseline, baseline_model or model, baseline_release, baseline_flag),
            candidate=_wanted(candidate, candidate_model or model, candidate_release, candidate_flag),
            against=against,
            repeats=repeats,
            concurrency=concurrency,
            timeout_s=timeout_s,
            max_failed=max_failed,
            api_key=_key(api_key_env),
            engine_flags=engine_flag or [],
            record=record,
            habits=Habits(resume=resume, cache=BaselineCache(baseline_cache), max_age_s=3600 * baseline_max_age_h),
            load=_steps(load),
            load_requests=load_requests,
        )
        report = run_gate(options)
    except GatekeeperError as error:
        from gatekeeper.cli._gate_failed import failed_report  # noqa: PLC0415 - nothing was judged

        told.tell(failed_report(error))
        raise
    if report is None:
        return 0
    told.tell(report)
    code = exit_code(report)
    if code == INCONCLUSIVE and on_inconclusive is not None:
        return 0 if on_inconclusive is OnInconclusive.PASS else 1
    return code


class _Told:
    """Where and how the report is told."""

    def __init__(self, *, format: ReportFormat, output: Path | None, junit: Path | None, title: str) -> None:  # noqa: A002 - the option's name
        self._format, self._output, self._junit, self._title = format, output, junit, title

    def tell(self, report: GateReport) -> None:
        """Write the report to stdout, and to the files that are wanted."""
        if self._junit is not None:
            self._junit.parent.mkdir(parents=True, exist_ok=True)
            self._junit.write_text(render(report, ReportFormat.JUNIT, title=self._title), encoding="utf-8")
        emit(render(report, self._format, title=self._title), output=self._output)


def _title(asked: Path, candidate: str, baseline: str | Path) -> str:
    return f"{asked.resolve().name}: {candidate} against {baseline}"


def _wanted(where: str, model: str, release: str, flags: list[str] | None) -> Wanted | None:
    from gatekeeper.cli._gate_arms import Wanted  # noqa: PLC0415 - needed only when run

    return Wanted(where, model, release, tuple(flags or ())) if where else None


def _steps(text: str) -> list[int]:
    """Read the load's steps.

    Raises:
        InputError: one is no whole number above 0.
    """
    from gatekeeper.errors import InputError  # noqa: PLC0415 - needed only when run

    parts = [part.strip() for part in text.split(",") if part.strip()]
    wrong = next((part for part in parts if not (part.isascii() and part.isdigit() and int(part) > 0)), None)
    if wrong is not None:
        raise InputError(f"--load: found {wrong!r}, expected requests in flight at each step, such as 1,4,16")
    return [int(part) for part in parts]


def _key(variable: str) -> str:
    """Return the API key that an environment variable holds; "" when none is named.

    Raises:
        InputError: the variable is named and not set.
    """
    from gatekeeper.errors import InputError  # noqa: PLC0415 - needed only when run

    if variable and not os.environ.get(variable):
        raise InputError(f"--api-key-env: {variable} is not set; set it to the endpoints' API key")
    return os.environ.get(variable, "") if variable else ""
