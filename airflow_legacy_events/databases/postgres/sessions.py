"""PostgreSQL sessions besides the read session: for locks, writes, LISTEN and single queries."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.ports import ChangeLog, Lease, Listener, LogOptions, RowVersions
from airflow_legacy_events.databases.postgres.changelog.access import Access
from airflow_legacy_events.databases.postgres.changelog.log import PostgresChangeLog
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.slots import Slots
from airflow_legacy_events.databases.postgres.connected import ConnectedPostgres
from airflow_legacy_events.databases.postgres.extras import refusing
from airflow_legacy_events.databases.postgres.listening import listening
from airflow_legacy_events.databases.postgres.lock import AdvisoryLock
from airflow_legacy_events.databases.postgres.ours import named
from airflow_legacy_events.databases.postgres.policies import row_security
from airflow_legacy_events.databases.postgres.pooling import (
    LOOK,
    SECOND_SECONDS,
    Backend,
    is_pid,
    last_row,
    no_second,
    prove,
)
from airflow_legacy_events.databases.postgres.row_versions import PostgresRowVersions
from airflow_legacy_events.databases.postgres.session import (
    ReadConnection,
    Session,
    connect,
    connect_reading,
    cut,
    tell,
)
from airflow_legacy_events.databases.postgres.types import MONEY_FORM
from airflow_legacy_events.databases.postgres.undone import ask
from airflow_legacy_events.databases.postgres.writing import begin_writing, refusal
from airflow_legacy_events.databases.snapshots import SnapshotDatabase
from airflow_legacy_events.databases.watchdog import WATCHDOG
from airflow_legacy_events.databases.writing import Reading, Right


class PostgresSessions(SnapshotDatabase[Session]):
    """Opens every session of a database, and ends them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._money = self._proved = False

    def _connect(self) -> Session:
        connection = self._connect_reading()
        try:
            with self._answering("connecting", partial(cut, connection)):
                return self._pinned(connection)
        except BaseException:
            connection.close()
            raise

    def _pinned(self, connection: ReadConnection) -> Session:
        """Pin a session. Behind a pooler, first prove that it keeps its process, or settings would leak to others."""
        greeted = connection.info.backend_pid
        if not self._proved and not is_pid(greeted):
            self._prove(Backend(self.conn_id, last_row(tell(connection, LOOK))), connection)
        security = row_security(self.row_security)
        session = Session.pin(connection, self.conn_id, self.statement_timeout_seconds, security)
        if not self._proved and session.backend.pid != greeted:
            self._prove(session.backend, connection)
        return session

    def _prove(self, backend: Backend, connection: ReadConnection) -> None:
        """Check that a session keeps its server process; see `pooling`."""
        with contextlib.closing(self._connect_plain()) as other:
            watch = WATCHDOG.watching(SECOND_SECONDS, partial(cut, other))
            try:
                with watch:
                    prove(backend, connection, other)
                self._proved = True  # proved for this pool; later sessions need no second one
            except psycopg.Error:
                if watch.over:
                    raise no_second(self.conn_id) from None
                raise

    @contextmanager
    def _beside(self, doing: str) -> Iterator[psycopg.Connection[Any]]:
        """Yield an additional session, for one query."""
        opened: list[psycopg.Connection[Any]] = []
        with self._answering(doing, lambda: cut(opened[0])):
            opened.append(self._connect_plain())
            with contextlib.closing(opened[0]):
                yield opened[0]

    def _connect_plain(self) -> psycopg.Connection[Any]:
        options = self._options
        with self._translated("connecting"), refusing(self.conn_id, options):
            return connect(options)

    def _connect_reading(self) -> ReadConnection:
        options = self._options
        with self._translated("connecting"), refusing(self.conn_id, options):
            return connect_reading(options)

    @property
    def _options(self) -> Mapping[str, Any]:
        return named(self._dialect.create_connect_args(self.url)[1])

    @contextmanager
    def lock(self, name: str, holder: Mapping[str, Any], *, table: str | None = None) -> Iterator[Lease]:
        """See `core.ports.Database.lock`: an advisory lock on a separate session, see `AdvisoryLock`."""
        reading = Reading(self._compiled, self._refused, self._begin_writing)
        with self._using("opening the session that reads") as session:  # detects a pooler before taking a lock
            backend = session.backend
        lock = AdvisoryLock(self._connect_plain, reading, name, holder, self.log, table=table, beside=backend)
        with lock.held() as lease:
            yield lease

    def _begin_writing(self, session: psycopg.Connection[Any]) -> None:
        begin_writing(session, row_security(self.row_security))
        if self._money:
            session.execute(MONEY_FORM)

    @abstractmethod
    def _refused(self, error: Exception, session: Any) -> LegacyEventsError | None:
        """Return the error for a row that can't be carried; see `Reading.refused`."""

    def refusal(self, statement: Any) -> str | None:
        """See `core.ports.Database.refusal`."""
        doing = "checking whether rows may be written"
        with self._translated(doing), self._beside(doing) as session:
            text, parameters = self._compiled(statement)
            security = row_security(self.row_security)
            return refusal(session, text, parameters, self.statement_timeout_seconds, security, Right.of(statement))

    def listen(self, channel: str) -> AbstractContextManager[Listener]:
        """See `core.ports.Database.listen`."""
        return listening(self._connect_plain, channel, self.conn_id)

    def row_versions(self, table: str) -> RowVersions:
        """See `core.ports.Database.row_versions`."""
        return PostgresRowVersions(table, self._look_around)

    def change_log(self, options: LogOptions) -> ChangeLog:
        """See `core.ports.Database.change_log`."""
        access = Access(
            conn_id=self.conn_id,
            connect=self._connect_plain,
            options=lambda: self._options,
            hold=self.snapshot,
            look=self._look,
            timeout_seconds=self.statement_timeout_seconds,
            max_row_bytes=self.max_row_bytes,
            log=self.log,
        )
        return PostgresChangeLog(access, options)

    def slots(self) -> Slots:
        """Return the replication slots of this package in the database; they connect on first use."""
        return Slots(LogSession(self._connect_plain, self.conn_id, self.statement_timeout_seconds))

    def connected(self) -> ConnectedPostgres:
        """Return the database as the source of a connector; it connects on first use."""
        return ConnectedPostgres(LogSession(self._connect_plain, self.conn_id, self.statement_timeout_seconds))

    def _look_around(self, doing: str, statement: sql.Composable) -> list[tuple[Any, ...]]:
        return self._ask(doing, statement)[0]

    def _ask(self, doing: str, *statements: str | sql.Composable) -> list[list[Any]]:
        with self._using(doing) as session:
            return ask(session.connection, *statements)

    def _look(self, doing: str, statement: str) -> list[tuple[Any, ...]]:
        with self._using(doing) as session:
            found = session.connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def _interrupt(self, session: Session) -> None:
        session.interrupt()

    def _cut(self, session: Session) -> None:
        session.cut()

    def _end(self, session: Session) -> None:
        session.connection.close()
