"""Running the demo: everything embedded, the story on top, and a closing table."""

from __future__ import annotations

import io
import re
import time
from typing import TYPE_CHECKING

from rich.console import Console

from gatekeeper.client import Client
from gatekeeper.demo.screen import closing_table, panel
from gatekeeper.demo.story import USERS, Stage, Story
from gatekeeper.errors import StoreError
from gatekeeper.serve import AllInOne
from gatekeeper.settings import Settings
from gatekeeper.ui import Ui

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import RenderableType

PICTURE_COLUMNS = 110
FONT_FACES = re.compile(r"@font-face \{.*?\}", re.DOTALL)
"""What would fetch fonts from elsewhere; the reader's own monospace font serves as well."""


def run(
    *,
    engine: str,
    every: bool,
    keep: bool,
    ui: bool,
    cache_dir: Path,
    data_dir: Path,
    console: Console,
    picture: Path | None = None,
) -> bool:
    """Play the demo and print its closing table; True when every release ended as it must.

    keep: stay after the end, with everything running, until interrupted. picture: an SVG to write the screens to.

    Raises:
        StoreError: the data folder holds an older demo, whose key nobody knows.
        WorldError: an engine or port is not to be had; the message says why.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        database_url=f"sqlite:///{data_dir / 'demo.db'}",
        data_dir=data_dir,
        api_port=0,
        gateway_port=0,
        mirror_in_flight=USERS,  # no more at a time than the baseline has: a slow candidate is slow, and not swamped
    )
    began = time.monotonic()
    with AllInOne(settings) as world:
        if world.new_key is None:
            raise StoreError(f"{data_dir} holds the database of an earlier demo: name a new folder with --data")
        with Client(world.api_url, world.new_key) as client, Ui(world.api_url, world.new_key, enabled=ui) as page:
            stage = Stage(
                client=client,
                gateway_url=world.gateway_url,
                ui_url=page.url,
                console=console,
                log_dir=data_dir,
                cache_dir=cache_dir,
                engine=engine,
                every=every,
            )
            console.print(f"gateway {world.gateway_url}/v1   API {world.api_url}   review page {page.url or '-'}")
            story = Story(stage)
            endings = story.play()
            table = closing_table(endings, simulated=engine == "sim")
            Console().print(table)
            if picture is not None:
                _draw(picture, [*map(panel, story.scenes), table])
            right = all(ending.right for ending in endings)
            word = (
                "[bold green]Every release ended as it must" if right else "[bold red]A release did not end as it must"
            )
            console.print(f"{word}; {time.monotonic() - began:.0f} s in all. Logs and database: {data_dir}")
            if keep:
                _stay(console, page.url or world.api_url, world.new_key)
    return right


def _draw(picture: Path, screens: Sequence[RenderableType]) -> None:
    recorder = Console(record=True, width=PICTURE_COLUMNS, file=io.StringIO(), force_terminal=True)
    for screen in screens:
        recorder.print(screen)
    drawn = recorder.export_svg(title="gatekeeper demo")
    picture.write_text(FONT_FACES.sub("", drawn), encoding="utf-8")


def _stay(console: Console, url: str, key: str) -> None:
    console.print(f"Still running: {url}   key {key}   (Ctrl-C ends it)", soft_wrap=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Ending.")
