"""`gatekeeper api`: the control plane as one process, for PostgreSQL and many replicas."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli._console import note

if TYPE_CHECKING:
    from gatekeeper.flow.loop import Loop

GRACE_S = 5
"""How long open event streams may go on after a SIGTERM."""


def command(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on; GATEKEEPER_HOST.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; GATEKEEPER_API_PORT.")] = None,
    migrate: Annotated[bool, typer.Option(help="Bring the database's tables up to date first.")] = True,
) -> None:
    """Run the control plane: API, webhooks, and the loops that step rollouts and deliver what is owed."""
    import uvicorn  # noqa: PLC0415 - 100 ms that --help does not need

    from gatekeeper import telemetry  # noqa: PLC0415 - as above
    from gatekeeper.api.app import make_api  # noqa: PLC0415 - as above
    from gatekeeper.flow.keys import first_key  # noqa: PLC0415 - as above
    from gatekeeper.serve import control_loops  # noqa: PLC0415 - as above
    from gatekeeper.settings import read_settings  # noqa: PLC0415 - as above
    from gatekeeper.wiring import make_app  # noqa: PLC0415 - as above

    telemetry.set_up()
    settings = read_settings(os.environ)
    settings = replace(
        settings,
        host=settings.host if host is None else host,
        api_port=settings.api_port if port is None else port,
    )
    app = make_app(settings)
    loops: list[Loop] = []
    signal.signal(signal.SIGTERM, _leave)
    try:
        if migrate:
            app.store.upgrade()
        app.store.check()
        with app.unit() as unit:
            key = first_key(unit)
        if key:
            note(f"the first API key, an admin's, shown only now:\n{key}")
        loops = control_loops(app, app.waker)
        for loop in loops:
            loop.start()
        uvicorn.run(
            make_api(app),
            host=settings.host,
            port=settings.api_port,
            log_level="warning",
            timeout_graceful_shutdown=GRACE_S,
        )
    finally:
        for loop in loops:
            loop.stop()
        app.close()


def _leave(*_: object) -> None:
    """End as asked; the server has drained by then, and raises its signal again."""
    sys.exit(0)
