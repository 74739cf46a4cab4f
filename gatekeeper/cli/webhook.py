"""`gatekeeper webhook`: who is told of promotions and rollbacks."""

from __future__ import annotations

from typing import Annotated

import typer

from gatekeeper.cli._console import note
from gatekeeper.cli._plane import Shape, connect, show, table

app = typer.Typer(no_args_is_help=True, help="Manage outbound webhooks.")

Format = Annotated[Shape, typer.Option("--format", help="How to print it.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where to post: https, to a public address.", show_default=False)],
    event: Annotated[list[str] | None, typer.Option(help="An event to be told; may be repeated.")] = None,
    secret: Annotated[
        str | None, typer.Option(envvar="GATEKEEPER_WEBHOOK_SECRET", help="whsec_ and base64; made when not given.")
    ] = None,
    output: Format = Shape.TEXT,
) -> None:
    """Add a webhook and print the secret that verifies its signatures, this once."""
    with connect() as plane:
        made = plane.create_webhook(url, event, secret)
    note(f"webhook {made['id']} for {', '.join(made['events'])}: its secret is shown only now")
    show(made, made["secret"], output)


@app.command("list")
def list_all(output: Format = Shape.TEXT) -> None:
    """List webhooks without their secrets."""
    with connect() as plane:
        webhooks = plane.webhooks()
    rows = [
        (one["id"], one["url"], ", ".join(one["events"]), "disabled" if one["disabled"] else "good") for one in webhooks
    ]
    show({"webhooks": webhooks}, table(("ID", "URL", "EVENTS", "STATE"), rows), output)


@app.command()
def remove(webhook: Annotated[str, typer.Argument(help="The webhook's id.", show_default=False)]) -> None:
    """Remove a webhook."""
    with connect() as plane:
        plane.remove_webhook(webhook)
    note(f"webhook {webhook} is removed")
