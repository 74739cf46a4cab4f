"""What every table's adapter needs of the unit it works in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Double, func, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, CursorResult, Executable, Row, Select
    from sqlalchemy.orm import InstrumentedAttribute

    from gatekeeper.adapters.store.tables import Base
    from gatekeeper.ports import Clock

_PARAMETERS = 10_000
"""Parameters of one statement: SQLite takes 32,766, PostgreSQL 65,535."""


class DatabaseClock:
    """Tell PostgreSQL's time, so that every replica's timers agree."""

    def __init__(self, connection: Connection) -> None:
        """Ask over this connection."""
        self._connection = connection

    def now(self) -> float:
        """Return unix seconds."""
        seconds = func.extract("epoch", func.clock_timestamp())
        return float(self._connection.execute(select(sql_cast(seconds, Double))).scalar_one())


class Work:
    """Hold one transaction's connection and clock, and hide the dialects' differences."""

    def __init__(self, connection: Connection, clock: Clock | None) -> None:
        """Use the connection, which has begun; clock None: the database's own."""
        self.connection = connection
        self.postgres = connection.dialect.name == "postgresql"
        self.clock = clock or DatabaseClock(connection)

    def run(self, statement: Executable, rows: Sequence[dict[str, Any]] | None = None) -> CursorResult[Any]:
        """Execute a statement, once for each of `rows` where given."""
        return cast("CursorResult[Any]", self.connection.execute(statement, rows))

    def all(self, statement: Select[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
        """Return all rows of a query."""
        return self.connection.execute(statement).all()

    def first(self, statement: Select[*tuple[Any, ...]]) -> Row[*tuple[Any, ...]] | None:
        """Return the first row of a query, or None."""
        return self.connection.execute(statement).first()

    def parts(self, rows: Sequence[int]) -> Iterator[Sequence[int]]:
        """Yield row numbers in parts small enough for one statement's parameters."""
        for start in range(0, len(rows), _PARAMETERS):
            yield rows[start : start + _PARAMETERS]

    def insert(self, table: type[Base]) -> postgresql.Insert:
        """Return an insert that knows ON CONFLICT; SQLite's and PostgreSQL's are built alike."""
        made = postgresql.insert(table) if self.postgres else sqlite.insert(table)
        return cast("postgresql.Insert", made)

    def inserted(self, insert: postgresql.Insert, key: InstrumentedAttribute[Any]) -> bool:
        """Execute an insert of one row and tell whether it wrote (drivers disagree on an insert's row count)."""
        return self.connection.execute(insert.returning(key)).first() is not None

    def put(self, table: type[Base], values: dict[str, Any], keys: tuple[str, ...]) -> None:
        """Insert a row, or replace what it holds beside its keys."""
        statement = self.insert(table).values(values)
        changed = {name: statement.excluded[name] for name in values if name not in keys}
        self.run(statement.on_conflict_do_update(index_elements=list(keys), set_=changed))
