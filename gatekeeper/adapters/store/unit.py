"""The store: units of work over SQLite or PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from gatekeeper.adapters.clock import HostClock
from gatekeeper.adapters.store import schema
from gatekeeper.adapters.store.catalog import SqlCatalog
from gatekeeper.adapters.store.engine import READ_ONLY, Engines, away, shown
from gatekeeper.adapters.store.exchanges import SqlExchanges
from gatekeeper.adapters.store.jobs import SqlJobs
from gatekeeper.adapters.store.keys import SqlKeys, SqlWebhooks
from gatekeeper.adapters.store.outbox import SqlOutbox
from gatekeeper.adapters.store.rollouts import SqlAudit, SqlRollouts
from gatekeeper.adapters.store.samples import SqlSamples, SqlTallies
from gatekeeper.adapters.store.splits import SqlSplits
from gatekeeper.adapters.store.trials import SqlTrials
from gatekeeper.adapters.store.work import Work
from gatekeeper.errors import InputError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from sqlalchemy import Connection

    from gatekeeper import ports


class SqlUnit:
    """Be one transaction; see `gatekeeper.ports.Unit`. Its parts exist while it is entered."""

    rollouts: ports.Rollouts
    trials: ports.Trials
    audit: ports.Audit
    catalog: ports.Catalog
    exchanges: ports.Exchanges
    samples: ports.Samples
    tallies: ports.Tallies
    jobs: ports.Jobs
    outbox: ports.Outbox
    splits: ports.Splits
    keys: ports.Keys
    webhooks: ports.Webhooks
    clock: ports.Clock

    def __init__(self, engines: Engines, clock: ports.Clock | None, *, readonly: bool) -> None:
        """Prepare a unit; nothing is connected before it is entered."""
        self._engines = engines
        self._own_clock = clock
        self._options = {READ_ONLY: True, "postgresql_readonly": True} if readonly else {}
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        """Begin the transaction.

        Raises:
            StoreError: the database is away, or SQLite's write lock stayed taken.
        """
        connection = None
        try:
            connection = self._engines.engine.connect().execution_options(**self._options)
            connection.begin()
        except SQLAlchemyError as exc:
            if connection is not None:
                connection.close()
            raise away(self._engines.url, exc) from exc
        self._connection = connection
        work = Work(connection, self._own_clock)
        self.clock = work.clock
        outbox = SqlOutbox(work)
        self.outbox, self.rollouts, self.audit = outbox, SqlRollouts(work, outbox), SqlAudit(work)
        self.trials, self.catalog, self.splits = SqlTrials(work), SqlCatalog(work), SqlSplits(work)
        self.exchanges, self.samples, self.tallies = SqlExchanges(work), SqlSamples(work), SqlTallies(work)
        self.jobs, self.keys, self.webhooks = SqlJobs(work), SqlKeys(work), SqlWebhooks(work)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, or roll back when an exception passes through.

        Raises:
            StoreError: the database went away or refused; nothing is known to be stored.
            InputError: it cannot hold a value, such as a NUL character in a name.
        """
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            with connection:
                if exc is None:
                    connection.commit()
                else:
                    connection.rollback()
        except SQLAlchemyError as failure:
            raise away(self._engines.url, failure) from (exc or failure)
        if isinstance(exc, DataError):
            raise InputError(f"the database cannot hold a value: {exc.orig}") from exc
        if isinstance(exc, SQLAlchemyError) and not isinstance(exc, IntegrityError):
            raise away(self._engines.url, exc) from exc


class SqlStore:
    """Keep everything in the database at a URL; hand out units."""

    def __init__(self, url: str, *, clock: ports.Clock | None = None) -> None:
        """Check the URL; nothing is connected yet.

        clock: None for the database's own (PostgreSQL) or the host's (SQLite, which lives on this host).

        Raises:
            InputError: not a URL of SQLite or PostgreSQL.
        """
        self._engines = Engines(url)
        local = self._engines.url.get_backend_name() == "sqlite"
        self._clock = HostClock() if clock is None and local else clock

    @property
    def shown_url(self) -> str:
        """Return the URL with its password masked."""
        return shown(self._engines.url)

    def unit(self, *, readonly: bool = False) -> SqlUnit:
        """Return a new unit. readonly: refuses to write, and on SQLite does not wait for writers."""
        return SqlUnit(self._engines, self._clock, readonly=readonly)

    def upgrade(self, revision: str = "head") -> None:
        """Bring the tables to a revision; several processes may do so at once. Raises StoreError."""
        self._change(schema.upgrade, revision)

    def downgrade(self, revision: str) -> None:
        """Take the tables back to a revision (`base`: none). Raises StoreError."""
        self._change(schema.downgrade, revision)

    def revision(self) -> str | None:
        """Return the revision the database is at; None for an empty one. Raises StoreError."""
        try:
            with self._engines.engine.connect() as connection:
                return schema.current(connection)
        except DBAPIError as exc:
            raise away(self._engines.url, exc) from exc

    def check(self) -> None:
        """Make sure that the database answers and has this version's tables.

        Raises:
            StoreError: it does not; the message says what mends it.
        """
        found, wanted = self.revision(), schema.head()
        if found != wanted:
            raise StoreError(
                f"database {self.shown_url} is at revision {found or 'none'}, this version needs {wanted}: "
                "run `gatekeeper db upgrade`"
            )

    def differences(self) -> list[str]:
        """Return in words where the database's tables differ from this version's models; empty when nowhere."""
        with self._engines.engine.connect() as connection:
            return schema.differences(connection)

    def _change(self, change: Callable[[Connection, str], None], revision: str) -> None:
        try:
            with self._engines.engine.begin() as connection:
                change(connection, revision)
        except DBAPIError as exc:
            raise away(self._engines.url, exc) from exc

    def dispose(self) -> None:
        """Close all connections."""
        self._engines.dispose()
