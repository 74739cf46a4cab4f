"""`gatekeeper demo`: the main job from nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer


def command(
    engine: Annotated[
        str, typer.Option(help="vllm: real servers; sim: simulated ones, for machines without vLLM.")
    ] = "vllm",
    *,
    every: Annotated[bool, typer.Option("--all", help="Play every bad release, not only two.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave gateway, API and review page running at the end.")
    ] = False,
    ui: Annotated[bool, typer.Option(help="Serve the review page while the demo runs.")] = True,
    cache_dir: Annotated[
        Path | None, typer.Option("--cache", envvar="GATEKEEPER_CACHE_DIR", help="Where trained models are kept.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data", help="Where the demo keeps its database and logs; a new folder by default.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Write the acts' last screens to this SVG file.")] = None,
) -> None:
    """Release a good candidate and bad ones on real model servers: promote the first, roll the others back.

    Exits 0 when every release ended as it must, and 1 when one did not.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` must not pay for it

    from gatekeeper.demo.models import default_cache_dir  # noqa: PLC0415 - as above
    from gatekeeper.demo.run import run  # noqa: PLC0415 - as above

    right = run(
        engine=engine,
        every=every,
        keep=keep,
        ui=ui,
        cache_dir=cache_dir or default_cache_dir(),
        data_dir=data_dir or Path(tempfile.mkdtemp(prefix="gatekeeper-demo-")),
        console=Console(stderr=True),
        picture=picture,
    )
    if not right:
        raise typer.Exit(1)
