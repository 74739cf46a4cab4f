"""`gatekeeper worker`: take jobs from the broker."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from gatekeeper.cli._console import note
from gatekeeper.errors import InputError
from gatekeeper.settings import read_settings


def command(
    *,
    queues: Annotated[
        str, typer.Option(help="Which queues to take from: control, analysis, scoring, webhooks.")
    ] = "control,analysis,scoring,webhooks",
    concurrency: Annotated[int, typer.Option(min=1, help="How many jobs run at once, each in its own process.")] = 2,
) -> int:
    """Run a worker until SIGTERM; running jobs then get 25 seconds. The control queue deserves a worker of its own."""
    settings = read_settings(os.environ)
    if settings.embedded:
        raise InputError(
            f"GATEKEEPER_BROKER_URL={settings.broker_url!r} reaches no other process: "
            "set it to redis://... or amqp://..., or use `gatekeeper serve`, which has its worker inside"
        )
    from gatekeeper import telemetry, wiring  # noqa: PLC0415 - help needs no Celery
    from gatekeeper.adapters.broker import make_celery  # noqa: PLC0415 - as above
    from gatekeeper.worker.app import run_worker  # noqa: PLC0415 - as above

    telemetry.set_up()
    app = wiring.make_app(settings)
    app.store.check()
    app.store.dispose()
    chosen = tuple(queue.strip() for queue in queues.split(","))
    note(f"worker: {', '.join(chosen)}; {concurrency} at once")
    try:
        return run_worker(
            make_celery(settings.broker_url),
            app.unit,
            wiring.handlers(settings),
            queues=chosen,
            concurrency=concurrency,
        )
    finally:
        app.close()
