"""Migrations: which there are, where a database stands, and moving it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from gatekeeper.adapters.store.tables import Base

if TYPE_CHECKING:
    from sqlalchemy import Connection

_UPGRADE_LOCK = 8_460_137
"""PostgreSQL's advisory lock under which one process at a time migrates."""


def head() -> str:
    """Return the newest revision this version knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or "base"


def current(connection: Connection) -> str | None:
    """Return the revision the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the tables up to a revision, all in the connection's transaction."""
    _lock(connection)
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Take the tables back to a revision, all in the connection's transaction."""
    _lock(connection)
    command.downgrade(_config(connection), revision)


def differences(connection: Connection) -> list[str]:
    """Return in words where the tables differ from the models; empty when nowhere."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return [str(difference) for difference in compare_metadata(context, Base.metadata)]


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})


def _config(connection: Connection | None = None) -> Config:
    """Return Alembic's settings: the folder inside an installed package, or the checkout's beside it."""
    package = Path(__file__).parents[2]
    installed = package / "_migrations"
    config = Config()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", str(installed if installed.is_dir() else package.parent / "migrations"))
    config.attributes["connection"] = connection
    return config
