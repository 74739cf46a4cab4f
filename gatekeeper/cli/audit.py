"""`gatekeeper audit`: is the record of what happened whole and unchanged?"""

from __future__ import annotations

from typing import Annotated

import typer

from gatekeeper.cli._plane import Shape, connect, show
from gatekeeper.decide.chain import verify as faults_of

app = typer.Typer(no_args_is_help=True, help="Verify the audit chain.")

Format = Annotated[Shape, typer.Option("--format", help="How to print it.")]


@app.callback()
def entry() -> None:
    """Verify the audit chain."""


@app.command()
def verify(
    rollout: Annotated[str | None, typer.Argument(help="One rollout; all of them when not given.")] = None,
    output: Format = Shape.TEXT,
) -> int:
    """Recompute every hash here; exits with 1 when an entry is changed, missing or reordered."""
    with connect() as plane:
        names = [rollout] if rollout else [row["id"] for row in plane.rollouts(limit=1_000_000)]
        faults: dict[str, list[str]] = {}
        checked = 0
        for name in names:
            version, entries = plane.audit(name)
            checked += len(entries)
            faults[name] = faults_of(entries, version)
    found = [fault for some in faults.values() for fault in some]
    words = found or [f"{len(names)} rollouts, {checked} entries: every chain is whole"]
    show({"rollouts": len(names), "entries": checked, "faults": faults}, "\n".join(words), output)
    return 1 if found else 0
