"""`gatekeeper key`: make, list and revoke API keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from gatekeeper.cli._console import note
from gatekeeper.cli._plane import Shape, connect, show, table
from gatekeeper.model.key import Scope  # noqa: TC001 - Typer reads the annotation at run time

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")

Format = Annotated[Shape, typer.Option("--format", help="How to print it.")]


@app.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="Who or what it is for; the audit shows it.")],
    scope: Annotated[Scope, typer.Option(help="What it may do.")],
    env: Annotated[str, typer.Option(help="A word inside the key that says where it belongs.")] = "live",
    output: Format = Shape.TEXT,
) -> None:
    """Make an API key and print it, this once."""
    with connect() as plane:
        made = plane.create_key(name, scope, env)
    note(f"key {made['id']} ({made['scope']}) for {made['name']}: it is shown only now")
    show(made, made["key"], output)


@app.command("list")
def list_all(output: Format = Shape.TEXT) -> None:
    """List keys without their secrets."""
    with connect() as plane:
        keys = plane.keys()
    rows = [
        (one["id"], one["name"], one["scope"], _day(one["created_at"]), "revoked" if one["revoked_at"] else "good")
        for one in keys
    ]
    show({"keys": keys}, table(("ID", "NAME", "SCOPE", "MADE", "STATE"), rows), output)


@app.command()
def revoke(key: Annotated[str, typer.Argument(help="The key's id.", show_default=False)]) -> None:
    """Revoke a key now."""
    with connect() as plane:
        plane.revoke_key(key)
    note(f"key {key} is revoked")


def _day(ts: float) -> str:
    return datetime.fromtimestamp(ts, tz=UTC).date().isoformat()
