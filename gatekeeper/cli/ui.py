"""`gatekeeper ui`: the review screens as one process, for any control plane."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from gatekeeper.cli._console import note


def command(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on; GATEKEEPER_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port, 0 for a free one; GATEKEEPER_UI_PORT.")
    ] = None,
    api_url: Annotated[str | None, typer.Option(help="The control plane; GATEKEEPER_API_URL.")] = None,
) -> int:
    """Run the review screens. Viewers give their API key on the page, unless GATEKEEPER_API_KEY gives one to all."""
    from gatekeeper.settings import read_settings  # noqa: PLC0415 - `--help` must not pay for it
    from gatekeeper.ui import Ui  # noqa: PLC0415 - as above

    settings = read_settings(os.environ)
    ui = Ui(
        api_url or settings.api_url,
        settings.api_key,
        host=host or settings.host,
        port=settings.ui_port if port is None else port,
    )
    signal.signal(signal.SIGTERM, _leave)
    with ui:
        ui.ready()
        note(f"review screens at {ui.url}, of the control plane at {api_url or settings.api_url}")
        return ui.wait()


def _leave(*_: object) -> None:
    """End as asked: leaving the block above stops the screens."""
    sys.exit(0)
