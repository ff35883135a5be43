"""Sessions of one database of PostgreSQL beside the one that reads: those that lock, write, listen, or ask once."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import psycopg

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.ports import Lease, Listener
from airflow_legacy_events.databases.postgres.listening import listening
from airflow_legacy_events.databases.postgres.lock import AdvisoryLock
from airflow_legacy_events.databases.postgres.policies import row_security
from airflow_legacy_events.databases.postgres.session import Session, connect, cut
from airflow_legacy_events.databases.postgres.types import MONEY_FORM
from airflow_legacy_events.databases.postgres.writing import begin_writing, refusal
from airflow_legacy_events.databases.snapshots import SnapshotDatabase
from airflow_legacy_events.databases.writing import Reading, Right


class PostgresSessions(SnapshotDatabase[Session]):
    """Opens every session of a database, and ends them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._money = False

    def _connect(self) -> Session:
        connection = self._connect_plain(reads=True)
        with self._answering("connecting", partial(cut, connection)):
            return Session.pin(connection, self.statement_timeout_seconds, row_security(self.row_security))

    @contextmanager
    def _beside(self, doing: str) -> Iterator[psycopg.Connection[Any]]:
        """Yield a further session, for one question."""
        opened: list[psycopg.Connection[Any]] = []
        with self._answering(doing, lambda: cut(opened[0])):
            opened.append(self._connect_plain())
            with contextlib.closing(opened[0]):
                yield opened[0]

    def _connect_plain(self, *, reads: bool = False) -> psycopg.Connection[Any]:
        _, options = self._dialect.create_connect_args(self.url)
        with self._translated("connecting"):
            return connect(options, reads=reads)

    @contextmanager
    def lock(self, name: str, holder: Mapping[str, Any], *, table: str | None = None) -> Iterator[Lease]:
        """See `core.ports.Database.lock`: an advisory lock on a session of its own, see `AdvisoryLock`."""
        reading = Reading(self._compiled, self._refused, self._begin_writing)
        with AdvisoryLock(self._connect_plain, reading, name, holder, self.log, table=table).held() as lease:
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
        doing = "asking whether rows may be written"
        with self._translated(doing), self._beside(doing) as session:
            text, parameters = self._compiled(statement)
            security = row_security(self.row_security)
            return refusal(session, text, parameters, self.statement_timeout_seconds, security, Right.of(statement))

    def listen(self, channel: str) -> AbstractContextManager[Listener]:
        """See `core.ports.Database.listen`."""
        return listening(self._connect_plain, channel, self.conn_id)

    def _interrupt(self, session: Session) -> None:
        session.interrupt()

    def _cut(self, session: Session) -> None:
        session.cut()

    def _end(self, session: Session) -> None:
        session.connection.close()
