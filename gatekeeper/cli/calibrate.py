"""`gatekeeper calibrate`: the baseline against itself."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - Typer reads the annotation at run time
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli import _sheet
from gatekeeper.cli._console import emit, progress
from gatekeeper.cli._sheet import Block, SheetFormat

if TYPE_CHECKING:
    from gatekeeper.flow._moving import Moving
    from gatekeeper.flow._related import Related
    from gatekeeper.flow.calibrate import Calibration, Share


def command(
    samples: Annotated[str, typer.Argument(help="Samples with the baseline's rows: JSON lines, .gz or .parquet.")],
    *,
    policy: Annotated[Path, typer.Option("--policy", "-p", help="Policy file: what is asked.")],
    replicates: Annotated[int, typer.Option(min=1, help="Random splits.")] = 200,
    look_every: Annotated[
        int | None, typer.Option(min=1, help="Look after each so many samples.  [default: 25 looks]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the splits.")] = 1,
    format: Annotated[SheetFormat, typer.Option(help="Form of the result on stdout.")] = SheetFormat.TEXT,  # noqa: A002 - the option's name
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the result here too.")] = None,
) -> int:
    """Split the baseline at random and judge its halves against each other; find drift and related requests.

    Exit codes: 0 done, whatever was found; 2 usage or bad input.
    """
    from gatekeeper.cli._files import read_policy  # noqa: PLC0415 - needed only when run
    from gatekeeper.flow.calibrate import calibrate  # noqa: PLC0415 - as above

    asked, _ = read_policy(policy)
    with progress("judging splits", 1.0) as tick:
        found = calibrate(samples, asked, replicates=replicates, look_every=look_every, seed=seed, tick=tick)
    emit(_render(found, samples, format), output=output)
    return 0


def _render(found: Calibration, title: str, form: SheetFormat) -> str:
    """Return what was found in the form that was asked for."""
    if form is SheetFormat.JSON:
        from gatekeeper.model.wire import to_dict  # noqa: PLC0415 - one form is wanted

        return json.dumps(to_dict(found), indent=2, ensure_ascii=False, allow_nan=False)
    blocks = [_splits(found, title), _metrics(found)]
    warnings = found.warnings or ("nothing that could mislead the judge was found",)
    blocks.append(Block("What to do", lines=warnings))
    return (_sheet.text if form is SheetFormat.TEXT else _sheet.markdown)(blocks)


def _splits(found: Calibration, title: str) -> Block:
    """Show what became of the splits."""
    whose = f" of {found.clusters:,} clusters" if found.clusters else ""
    within = "within" if found.false_rollback.lower <= found.budget else "ABOVE"
    lines = [
        f"false rollbacks: {_share(found.false_rollback)}, {within} the stage's budget of {found.budget:.2%}",
        f"promotions: {_share(found.promoted)}",
    ]
    if found.per_request is not None:
        lines.append(f"false rollbacks if each request counted by itself: {_share(found.per_request)}")
    lines += [f"{name} had a part in {count} rollbacks" for name, count in found.by_metric.items() if count]
    head = f"{title}: {found.samples:,} baseline samples{whose}, split at random by {found.unit}"
    return Block(f"{head}, {found.replicates:,} times, a look every {found.look_every:,}", lines=lines)


def _share(share: Share) -> str:
    return f"{share.count} of {share.of} = {share.value:.1%} [{share.lower:.1%}, {share.upper:.1%}]"


def _metrics(found: Calibration) -> Block:
    """Show every move and relation as figures."""
    heads = ("metric", "finding", "size", "groups", "correlation", "times the variance")
    rows = [_moving(move) for move in found.moving]
    rows += [_related(relation) for relation in found.related]
    lines = () if rows else ("requests are independent and steady, as far as can be seen",)
    return Block("Drift and relations", heads, rows, lines, frozenset({"finding"}))


def _moving(move: Moving) -> tuple[str, ...]:
    size = f"+-{move.size * 100:.2g} {'%' if move.relative else 'pp'}"
    return (move.metric, _shape(move), size, "", "", f"{move.ratio:.1f}")


def _shape(move: Moving) -> str:
    if move.period_s is not None:
        return f"moves, period {_sheet.span(move.period_s)}"
    return "moves steadily" if move.trend else "moves irregularly"


def _related(relation: Related) -> tuple[str, ...]:
    where = f"related in time, {relation.size:.0f} neighbours" if relation.by == "time" else f"related by {relation.by}"
    size = f"{relation.size:.1f} a group"
    counts = (f"{relation.groups:,}", f"{relation.correlation:.2g}", f"{relation.design_effect:.1f}")
    return (relation.metric, where, size, *counts)
