"""`gatekeeper backtest`: what a policy would have decided on what was recorded."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - Typer reads the annotation at run time
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli import _sheet
from gatekeeper.cli._console import emit, progress
from gatekeeper.cli._sheet import Block, SheetFormat
from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.flow.backtest import Replay

_HEADS = ("recorded", "decided then", "this policy", "in stage", "samples", "after")
_WORDS = frozenset({"decided then", "this policy", "in stage"})


def command(
    samples: Annotated[list[str] | None, typer.Argument(help="Files of samples: JSON lines, .gz or .parquet.")] = None,
    *,
    policy: Annotated[Path, typer.Option("--policy", "-p", help="The policy to try.")],
    rollout: Annotated[
        list[str] | None,
        typer.Option("--rollout", help="Id of a rollout of the control plane; repeatable."),
    ] = None,
    look_every: Annotated[int, typer.Option(min=1, help="Look after each so many samples.")] = 100,
    format: Annotated[SheetFormat, typer.Option(help="Form of the result on stdout.")] = SheetFormat.TEXT,  # noqa: A002 - the option's name
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the result here too.")] = None,
) -> int:
    """Replay a policy on recorded samples: what it would have decided, when, and why.

    Rollouts are read from the control plane of GATEKEEPER_API_URL with GATEKEEPER_API_KEY; where neither is set, from
    the database of GATEKEEPER_DATABASE_URL.

    Exit codes: 0 done, whatever was decided; 2 usage or bad input; 4 the control plane or the database is away.
    """
    from gatekeeper.cli._files import read_policy  # noqa: PLC0415 - needed only when run
    from gatekeeper.flow.backtest import replay_file, replay_rollout  # noqa: PLC0415 - as above

    files, rollouts = samples or [], rollout or []
    if not files and not rollouts:
        raise InputError("nothing to replay; expected files of samples, or --rollout ID")
    asked, _ = read_policy(policy)
    replays = []
    with progress("replaying", len(files) + len(rollouts)) as tick:
        for name in files:
            replays.append(replay_file(name, asked, look_every))
            tick(len(replays))
        if rollouts:
            from gatekeeper.cli._stored import stored_rollouts  # noqa: PLC0415 - files need none

            with stored_rollouts() as find:
                for name in rollouts:
                    replays.append(replay_rollout(find(name), asked, look_every))
                    tick(len(replays))
    emit(_render(replays, asked.name, look_every, format), output=output)
    return 0


def _render(replays: Sequence[Replay], policy: str, look_every: int, form: SheetFormat) -> str:
    """Return the replays in the form that was asked for."""
    if form is SheetFormat.JSON:
        from gatekeeper.model.wire import to_dict  # noqa: PLC0415 - one form is wanted

        plain = {"policy": policy, "look_every": look_every, "replays": [to_dict(one) for one in replays]}
        return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)
    rows = [
        (
            one.name,
            one.was,
            str(one.verdict),
            one.stage,
            f"{one.samples:,}" + (f" of {one.of:,}" if one.of > one.samples else ""),
            _sheet.span(one.after_s),
        )
        for one in replays
    ]
    head = Block(f"Policy {policy}, a look every {look_every:,} samples", _HEADS, rows, words=_WORDS)
    why = Block("Why", lines=[f"{one.name}: {one.reason}" for one in replays])
    return (_sheet.text if form is SheetFormat.TEXT else _sheet.markdown)([head, why])
