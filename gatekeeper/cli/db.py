"""`gatekeeper db`: prepare and migrate the database."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli._console import complain, emit
from gatekeeper.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatekeeper.adapters.store.unit import SqlStore

app = typer.Typer(help="Prepare and migrate the database of GATEKEEPER_DATABASE_URL.", no_args_is_help=True)

_DIFFERS = 4


@app.command()
def upgrade(
    revision: Annotated[str, typer.Argument(help="The revision to go to; `head` is the newest.")] = "head",
) -> None:
    """Create the tables, or bring them up to date; safe to run again, and from several places at once."""
    with _store() as store:
        before = store.revision()
        store.upgrade(revision)
        after = store.revision()
        done = f"at {after} already" if before == after else f"{before or 'empty'} -> {after}"
        emit(f"{store.shown_url}: {done}")


@app.command()
def current() -> None:
    """Print the revision the database is at."""
    with _store() as store:
        emit(store.revision() or "none")


@app.command()
def check() -> int:
    """Compare the database with what this version needs; exit code 4 if they differ."""
    with _store() as store:
        store.check()
        differences = store.differences()
        if differences:
            complain("\n".join(differences))
            return _DIFFERS
        emit(f"{store.shown_url}: at {store.revision()}, as this version needs it")
        return 0


@contextmanager
def _store() -> Iterator[SqlStore]:
    from gatekeeper.adapters.store.unit import SqlStore  # noqa: PLC0415 - help needs no database driver

    store = SqlStore(read_settings(os.environ).database_url)
    try:
        yield store
    finally:
        store.dispose()
