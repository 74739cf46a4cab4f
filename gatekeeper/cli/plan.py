"""`gatekeeper plan`: what a policy takes at this traffic, and what it cannot show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli import _sheet
from gatekeeper.cli._console import emit, progress
from gatekeeper.cli._sheet import Block, SheetFormat

if TYPE_CHECKING:
    from gatekeeper.flow._measures import Simulation
    from gatekeeper.flow.plan import Forecast, Metric, StageForecast

_HEADS = ("metric", "baseline", "margin", "samples to prove", "time", "catches", "samples", "time", "sees by deadline")


def command(
    *,
    policy: Annotated[Path, typer.Option("--policy", "-p", help="Policy file: what the candidate must hold.")],
    baseline: Annotated[
        str | None, typer.Option(help="Samples of the baseline, to learn its rates and spreads from.")
    ] = None,
    rates: Annotated[
        str, typer.Option(help="What the baseline's metrics are: refusal_rate=2%,ttft_ms.p95=900:0.8 (value:spread).")
    ] = "",
    rps: Annotated[float, typer.Option(help="Requests a second of the service.")] = 5.0,
    simulate: Annotated[bool, typer.Option("--simulate", help="Measure it on synthetic traffic too.")] = False,
    replicates: Annotated[int, typer.Option(min=10, help="Simulated rollouts of each kind.")] = 1000,
    stage: Annotated[int | None, typer.Option(min=1, help="Simulate this stage alone, counted from 1.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 1,
    format: Annotated[SheetFormat, typer.Option(help="Form of the result on stdout.")] = SheetFormat.TEXT,  # noqa: A002 - the option's name
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the result here too.")] = None,
) -> int:
    """Say how many samples and how much time each stage needs, and what it can and cannot detect.

    Exit codes: 0 done, 2 usage or bad input.
    """
    from gatekeeper.cli._files import read_policy  # noqa: PLC0415 - needed only when run
    from gatekeeper.flow._typical import parse_rates  # noqa: PLC0415 - as above
    from gatekeeper.flow.plan import forecast  # noqa: PLC0415 - as above

    asked, _ = read_policy(policy)
    told = parse_rates(rates)
    rows = None
    if baseline is not None:
        from gatekeeper.flow._baseline import read_baseline  # noqa: PLC0415 - as above

        with progress(f"reading {baseline}", _size(baseline)) as tick:
            rows = read_baseline(baseline, asked, tick=tick)
    plan = forecast(asked, rps=rps, rates=told, baseline=rows)
    measured: Simulation | None = None
    if simulate:
        from gatekeeper.flow.simulate import simulate as run  # noqa: PLC0415 - as above

        only = None if stage is None else stage - 1
        with progress("simulating", 1.0) as tick:
            measured = run(
                asked, rps=rps, rates=told, baseline=rows, replicates=replicates, seed=seed, stage=only, tick=tick
            )
    emit(_render(plan, measured, format), output=output)
    return 0


def _size(name: str) -> float | None:
    """Return a plain file's bytes; None where what is read differs from what is stored."""
    there = Path(name)
    return there.stat().st_size if there.suffix not in {".gz", ".parquet"} and there.is_file() else None


def _render(plan: Forecast, measured: Simulation | None, form: SheetFormat) -> str:
    """Return the plan in the form that was asked for."""
    if form is SheetFormat.JSON:
        from gatekeeper.model.wire import to_dict  # noqa: PLC0415 - one form is wanted

        whole = {**to_dict(plan), "simulation": to_dict(measured) if measured else None}
        return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
    blocks = [_head(plan), *(_stage(stage) for stage in plan.stages)]
    if measured is not None:
        from gatekeeper.cli._sheet_simulation import blocks as simulated  # noqa: PLC0415 - as above

        blocks += simulated(measured)
    if plan.cannot:
        blocks.append(Block("What this policy cannot do", lines=plan.cannot))
    return (_sheet.text if form is SheetFormat.TEXT else _sheet.markdown)(blocks)


def _head(plan: Forecast) -> Block:
    """Say what was planned, and on what it rests."""
    lines = []
    if plan.half_s is not None:
        lines.append(f"half of equal candidates are through all stages after {_sheet.span(plan.half_s)}")
    if plan.assumed:
        lines.append(
            f"assumed, for want of data: the baseline's {', '.join(plan.assumed)}; give --baseline SAMPLES or --rates"
        )
    lines.append("samples count both arms together; times are means at this traffic")
    return Block(f"{plan.policy} at {plan.rps:g} requests a second", lines=lines)


def _stage(stage: StageForecast) -> Block:
    """Show one stage."""
    words = [f"Stage {stage.index + 1}: {stage.title}"]
    if stage.candidate_per_s is not None:
        words.append(f"{stage.candidate_per_s:.3g} {'pairs' if stage.paired else 'candidate requests'}/s")
    if stage.deadline_s is not None:
        words.append(f"{'watches' if stage.kind == 'bake' else 'deadline'} {_sheet.span(stage.deadline_s)}")
    if stage.late:
        words.append("TOO SHORT")
    lines = []
    if stage.kind == "warmup":
        lines.append(f"takes about {_sheet.span(stage.half_s)}; nothing is judged")
    elif stage.half_s is not None and stage.kind != "bake":
        reach = "" if stage.proven is None else f"; {stage.proven:.0%} by the deadline"
        lines.append(
            f"equal candidates proven on everything: half after {_sheet.span(stage.half_s)}, "
            f"nine in ten after {_sheet.span(stage.most_s)}{reach}"
        )
    return Block(", ".join(words), _HEADS, [_row(metric) for metric in stage.metrics], lines)


def _row(metric: Metric) -> tuple[str, ...]:
    """Show one metric of a stage."""
    limit = metric.name.endswith(" limit")
    own = "ratio" if metric.own_unit == "share" else metric.own_unit
    return (
        metric.name,
        "?" if metric.expects is None else _sheet.amount(metric.expects, own),
        _sheet.amount(metric.margin, own if limit else metric.unit),
        _sheet.count(metric.promote_samples),
        _sheet.span(metric.promote_s) + (" (late)" if metric.late else ""),
        f"{_sheet.amount(metric.catch, metric.unit)}{' beyond' if limit else ''}",
        _sheet.count(metric.catch_samples),
        _sheet.span(metric.catch_s),
        _sheet.amount(metric.smallest, metric.unit) + (" beyond" if limit and metric.smallest is not None else ""),
    )
