"""`gatekeeper score`: exchanges in, samples out."""

from __future__ import annotations

import gzip
import sys
from contextlib import ExitStack
from pathlib import Path  # noqa: TC003 - Typer reads the annotation at run time
from typing import IO, TYPE_CHECKING, Annotated, cast

import typer

from gatekeeper.cli._console import complain, progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatekeeper.cli._console import Tick

BAD_INPUT = 2
MOST_COMPLAINTS = 20
TICK_LINES = 500


def command(
    exchanges: Annotated[Path, typer.Argument(help="Exchanges, a JSON object a line; .gz too; - reads stdin.")],
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write samples here instead of stdout.")] = None,
    scorer: Annotated[
        list[Path] | None,
        typer.Option(help="Your own scorer, NAME.py: writes extra.NAME. May be repeated."),
    ] = None,
    scorer_timeout_s: Annotated[
        float, typer.Option(min=0.001, help="Longest time for one answer of an own scorer, in seconds.")
    ] = 1.0,
) -> int:
    """Score exchanges into samples, each with the labels that say why.

    Every good line is scored and written, whatever stands in the others; a bad line is named on stderr, and the exit
    code is then 2.
    """
    import orjson  # noqa: PLC0415 - needed only when run

    from gatekeeper.adapters.scorers import OwnScorers  # noqa: PLC0415 - as above
    from gatekeeper.errors import Fault  # noqa: PLC0415 - as above
    from gatekeeper.flow.score import score_lines  # noqa: PLC0415 - as above

    name = "stdin" if str(exchanges) == "-" else str(exchanges)
    bad = 0
    with ExitStack() as stack:
        own = stack.enter_context(OwnScorers(scorer or (), timeout_s=scorer_timeout_s))
        source = stack.enter_context(_open(exchanges))
        target = stack.enter_context(output.open("wb")) if output is not None else sys.stdout.buffer
        size = None if name == "stdin" else exchanges.stat().st_size
        tick = stack.enter_context(progress(f"scoring {name}", size))
        for scored in score_lines(_ticking(source, tick), name, own):
            if not isinstance(scored, Fault):
                target.write(orjson.dumps(scored, option=orjson.OPT_APPEND_NEWLINE))
                continue
            bad += 1
            if bad <= MOST_COMPLAINTS:
                complain(str(scored))
        target.flush()
    if bad > MOST_COMPLAINTS:
        complain(f"{name}: and {bad - MOST_COMPLAINTS:,} more bad lines")
    return BAD_INPUT if bad else 0


def _open(path: Path) -> IO[bytes]:
    if str(path) == "-":
        return sys.stdin.buffer
    return cast("IO[bytes]", gzip.open(path) if path.suffix == ".gz" else path.open("rb"))


def _ticking(source: IO[bytes], tick: Tick) -> Iterator[bytes]:
    """Hand lines on, showing now and then how far the file is read."""
    raw = getattr(source, "fileobj", source)  # a gzip file's own place is in bytes that are not on disk
    for number, line in enumerate(source):
        if number % TICK_LINES == 0 and raw.seekable():
            tick(raw.tell())
        yield line
