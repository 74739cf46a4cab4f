"""Connecting to SQLite or PostgreSQL, and saying in words why it failed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from gatekeeper.errors import InputError, StoreError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

READ_ONLY = "gatekeeper_read_only"
"""The execution option under which a SQLite transaction begins without taking the write lock."""

_WAIT_S = 10
_POSTGRES_OPTIONS = f"-c lock_timeout={_WAIT_S}s -c idle_in_transaction_session_timeout=180s"
"""A process that was stopped in mid-transaction must not hold its locks for ever; 180 s outlast the longest job."""


def parse_url(url: str) -> URL:
    """Return the URL with the driver we use: pysqlite, or psycopg 3.

    Raises:
        InputError: not a URL of SQLite or PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise InputError(f"database URL {url!r}: expected sqlite:///FILE or postgresql://USER@HOST/NAME") from exc
    backend = parsed.drivername.partition("+")[0]
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite+pysqlite")
    raise InputError(f"database URL {shown(parsed)!r}: expected sqlite:///FILE or postgresql://USER@HOST/NAME")


def shown(url: URL) -> str:
    """Return the URL for people: no driver's name, the password masked."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def connect(url: URL) -> Engine:
    """Build the engine; nothing is connected before the first unit.

    Raises:
        InputError: the driver is not installed.
    """
    codec: dict[str, Any] = {"json_serializer": dumps, "json_deserializer": loads}
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _WAIT_S}, **codec)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            url,
            pool_pre_ping=True,
            pool_timeout=_WAIT_S,
            connect_args={"connect_timeout": _WAIT_S, "options": _POSTGRES_OPTIONS},
            **codec,
        )
    except (NoSuchModuleError, ModuleNotFoundError) as exc:
        raise InputError("PostgreSQL needs its driver: pip install 'llm-gatekeeper[postgres]'") from exc


def away(url: URL, cause: BaseException) -> StoreError:
    """Return the error for people: which database, what it said, and what mends it. Passwords are masked."""
    said = str(getattr(cause, "orig", None) or cause).strip().splitlines()
    reason = said[0] if said else type(cause).__name__
    if "no such table" in reason or "UndefinedTable" in type(getattr(cause, "orig", None)).__name__:
        mend = "its tables are missing: run `gatekeeper db upgrade`"
    elif url.get_backend_name() == "sqlite":
        folder = Path(url.database or ".").absolute().parent
        mend = f"check that {folder} exists, is writable and has space, and that no other process holds the file"
    else:
        mend = "check that PostgreSQL runs there and takes this user, or set GATEKEEPER_DATABASE_URL"
    return StoreError(f"database {shown(url)}: {reason}; {mend}")


def dumps(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return JSON text; NaN and infinities become null.

    Raises:
        InputError: the value is not JSON.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        return _dumps_slowly(value)


def loads(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of JSON text, lone surrogates included."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def _dumps_slowly(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return JSON text of what orjson refuses: lone surrogates and integers beyond 64 bits."""
    try:
        return json.dumps(value, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError) as exc:
        raise InputError(f"cannot be kept as JSON: {exc}") from exc


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    read_only = bool(connection.get_execution_options().get(READ_ONLY))
    connection.exec_driver_sql(f"PRAGMA query_only={int(read_only)}")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


class Engines:
    """Hold one engine for each process, so that a forked child never shares its parent's connections."""

    def __init__(self, url: str) -> None:
        """Check the URL; nothing is connected yet."""
        self.url = parse_url(url)
        self._engine: Engine | None = None
        self._pid = 0

    @property
    def engine(self) -> Engine:
        """Return this process's engine."""
        if self._engine is None or self._pid != os.getpid():
            if self._engine is not None:
                self._engine.dispose(close=False)
            self._engine, self._pid = connect(self.url), os.getpid()
        return self._engine

    def dispose(self) -> None:
        """Close all connections; the next use opens new ones."""
        if self._engine is not None:
            self._engine.dispose(close=self._pid == os.getpid())
            self._engine = None
