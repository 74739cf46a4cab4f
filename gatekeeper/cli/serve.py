"""`gatekeeper serve`: everything in one process."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from typing import Annotated

import typer

from gatekeeper.cli._console import note


def command(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on; GATEKEEPER_HOST.")] = None,
    gateway_port: Annotated[int | None, typer.Option(min=0, max=65535, help="GATEKEEPER_GATEWAY_PORT.")] = None,
    api_port: Annotated[int | None, typer.Option(min=0, max=65535, help="GATEKEEPER_API_PORT.")] = None,
    ui: Annotated[bool, typer.Option(help="Serve the review page too, where streamlit is installed.")] = True,
) -> None:
    """Run gateway, API, worker and review page embedded, on SQLite unless GATEKEEPER_DATABASE_URL says otherwise.

    The first start prints an admin key, once. SIGTERM and Ctrl-C drain the gateway and end.
    """
    from importlib.util import find_spec  # noqa: PLC0415 - `--help` must not pay for it

    from gatekeeper import telemetry  # noqa: PLC0415 - as above
    from gatekeeper.serve import AllInOne  # noqa: PLC0415 - as above
    from gatekeeper.settings import read_settings  # noqa: PLC0415 - as above
    from gatekeeper.ui import Ui  # noqa: PLC0415 - as above

    telemetry.set_up()
    settings = read_settings(os.environ)
    settings = replace(
        settings,
        host=settings.host if host is None else host,
        gateway_port=settings.gateway_port if gateway_port is None else gateway_port,
        api_port=settings.api_port if api_port is None else api_port,
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    shown = ui and find_spec("streamlit") is not None
    with AllInOne(settings) as world:
        if world.new_key:
            note(f"the first API key, an admin's, shown only now:\n{world.new_key}")
        with Ui(world.api_url, settings.api_key, enabled=shown, host=settings.host, port=settings.ui_port) as page:
            note(f"gateway {world.gateway_url}/v1\nAPI     {world.api_url}\nreview  {page.url or '- (not served)'}")
            if ui and not shown:
                note("the review page needs streamlit: pip install 'llm-gatekeeper[ui]'")
            ended.wait()
            note("draining")
