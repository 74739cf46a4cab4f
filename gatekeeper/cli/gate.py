"""`gatekeeper gate`: the CI step."""

from __future__ import annotations

import asyncio
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli._console import emit, progress
from gatekeeper.cli._render import ReportFormat, exit_code, render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.adapters.http_engine import HttpEngine
    from gatekeeper.flow.gate import Asking
    from gatekeeper.model.arm import Arm
    from gatekeeper.model.evalset import Evalset
    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.finding import Report
    from gatekeeper.model.policy import Policy

INCONCLUSIVE = 3


class OnInconclusive(StrEnum):
    """Say what an inconclusive verdict is to a pipeline that knows only pass and fail."""

    PASS = "pass"  # noqa: S105 - a choice, not a password
    FAIL = "fail"


def command(
    *,
    policy: Annotated[Path, typer.Option(help="Policy file: what the candidate must hold.")],
    baseline: Annotated[str, typer.Option(help="URL of what serves users now, or ENGINE:MODEL to start one.")],
    candidate: Annotated[str, typer.Option(help="URL of the release under test, or ENGINE:MODEL, as vllm:./model.")],
    evalset: Annotated[Path | None, typer.Option(help="Evalset folder.  [default: that of the policy's gate]")] = None,
    model: Annotated[str, typer.Option(help="Model name both endpoints know.  [default: their first]")] = "",
    baseline_model: Annotated[str, typer.Option(help="The baseline's model name, where it differs.")] = "",
    candidate_model: Annotated[str, typer.Option(help="The candidate's model name, where it differs.")] = "",
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
    format: Annotated[ReportFormat, typer.Option(help="Form of the report on stdout.")] = ReportFormat.TEXT,  # noqa: A002 - the option's name
    output: Annotated[Path | None, typer.Option(help="Write the report here too.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the report as JUnit XML here.")] = None,
    record: Annotated[Path | None, typer.Option(help="Write every exchange here, a JSON object a line.")] = None,
    on_inconclusive: Annotated[
        OnInconclusive | None, typer.Option(help="Exit with 0 or 1 instead of 3 when nothing is proven.")
    ] = None,
) -> int:
    """Ask both arms the same prompts and judge the candidate by the policy.

    Exit codes: 0 pass, 1 regression, 2 usage or bad input, 3 inconclusive, 4 infrastructure.
    """
    from gatekeeper.cli._gate_arms import Wanted, arms  # noqa: PLC0415 - needed only when run
    from gatekeeper.model.arm import Arm  # noqa: PLC0415 - as above

    judged, asked = _read(policy, evalset)
    wanted = {
        Arm.BASELINE: Wanted(baseline, baseline_model or model),
        Arm.CANDIDATE: Wanted(candidate, candidate_model or model),
    }
    with arms(wanted, asked, engine_flag or [], timeout_s=timeout_s, api_key=_key(api_key_env)) as engines:
        report = asyncio.run(
            _run(judged, asked, engines, repeats=repeats, concurrency=concurrency, max_failed=max_failed, record=record)
        )
    title = f"{asked.name}: {candidate} against {baseline}"
    if junit is not None:
        junit.parent.mkdir(parents=True, exist_ok=True)
        junit.write_text(render(report, ReportFormat.JUNIT, title=title), encoding="utf-8")
    emit(render(report, format, title=title), output=output)
    code = exit_code(report)
    if code == INCONCLUSIVE and on_inconclusive is not None:
        return 0 if on_inconclusive is OnInconclusive.PASS else 1
    return code


def _read(policy_file: Path, folder: Path | None) -> tuple[Policy, Evalset]:
    """Read what is judged by and what is asked, before anything is started.

    Raises:
        InputError: either has faults, or no evalset is named.
    """
    from gatekeeper.adapters.evalsets import read_evalset  # noqa: PLC0415 - needed only when run
    from gatekeeper.cli._files import read_policy  # noqa: PLC0415 - as above
    from gatekeeper.errors import InputError  # noqa: PLC0415 - as above

    policy, _ = read_policy(policy_file)
    named = next((stage.evalset for stage in policy.stages if stage.evalset), None)
    if folder is None and named is None:
        raise InputError(f"{policy_file} has no gate stage that names an evalset; give one with --evalset")
    return policy, read_evalset(folder or Path(str(named)))


def _key(variable: str) -> str:
    """Return the API key that an environment variable holds; "" when none is named.

    Raises:
        InputError: the variable is named and not set.
    """
    from gatekeeper.errors import InputError  # noqa: PLC0415 - needed only when run

    if variable and not os.environ.get(variable):
        raise InputError(f"--api-key-env: {variable} is not set; set it to the endpoints' API key")
    return os.environ.get(variable, "") if variable else ""


async def _run(
    policy: Policy,
    evalset: Evalset,
    engines: Mapping[Arm, HttpEngine],
    *,
    repeats: int,
    concurrency: int,
    max_failed: float,
    record: Path | None,
) -> Report:
    import time  # noqa: PLC0415 - needed only when run
    from contextlib import AsyncExitStack  # noqa: PLC0415 - as above

    from gatekeeper.cli._gate_arms import Recorder  # noqa: PLC0415 - as above
    from gatekeeper.flow.gate import Asking, gate  # noqa: PLC0415 - as above

    repeats = repeats or evalset.repeats
    total = len(evalset.samples) * repeats * len(engines)
    async with AsyncExitStack() as stack:
        for engine in engines.values():
            await stack.enter_async_context(engine)
            await engine.pick_model()
        recorder = stack.enter_context(Recorder(record))
        tick = stack.enter_context(progress(f"asking {evalset.name}", total))

        def seen(exchange: Exchange) -> None:
            recorder.add(exchange)
            tick(recorder.count)

        asking: Asking = Asking(
            ask={arm: engine.ask for arm, engine in engines.items()},
            now=time.time,
            repeats=repeats,
            concurrency=concurrency,
            max_failed=max_failed,
            seen=seen,
        )
        return await gate(policy, evalset, asking)
