"""Base class of the SQL databases: one read session, which another thread may close, and keyset conditions."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.core.limits import MAX_ROW_BYTES
from airflow_legacy_events.core.model import Ceiling
from airflow_legacy_events.core.ports import ChangeLog, Listener, LogOptions, TableState, TableWrites
from airflow_legacy_events.core.row_security import FAIL
from airflow_legacy_events.core.sql_dialects import UNKNOWN, Dialect
from airflow_legacy_events.databases.chunks import Chunks, Row
from airflow_legacy_events.databases.conditions import Conditions, bound
from airflow_legacy_events.databases.deadline import answering
from airflow_legacy_events.databases.quoting import quote_all, quoted_for_people
from airflow_legacy_events.databases.reflection import NOTHING_KNOWN, Reflected, TableFacts, query_source
from airflow_legacy_events.databases.streaming import Streams
from airflow_legacy_events.databases.unreported import Unreported

Session = TypeVar("Session")
_READING = "reading"
_CLOSE_SECONDS = 2.0
_INTERRUPT_SECONDS = 0.25
_BEST_EFFORT = (
    "no horizon: a row that commits below the watermark after the run passed it is not seen, nor is an UPDATE that does"
    " not move the watermark columns, nor a DELETE"
)


class SqlDatabase(Streams[Session], Conditions, Unreported, Generic[Session]):
    """Base of the databases whose SQL is composed with SQLAlchemy and read with their own driver.

    Args:
        url: SQLAlchemy URL with the driver that the subclass uses.
        conn_id: Airflow's name of the connection, for messages.
        statement_timeout_seconds: seconds after which a statement is interrupted.
        log: of the task.
        max_row_bytes: a larger row or value is refused, by the database itself where possible.
        row_security: see `core.row_security`; where the database can't report policies, they apply.

    Attributes:
        holds_snapshot: see `core.ports.Database.holds_snapshot`.
        enters_by_position: see `core.ports.Database.enters_by_position`.
        returns_ids: see `core.ports.Database.returns_ids`.
        paramstyle: PEP 249 parameter style of statements; None: the driver's default.
        has_partial_indexes: see `core.ports.Database.has_partial_indexes`.
    """

    holds_snapshot = True
    enters_by_position = True
    has_partial_indexes = True
    returns_ids = False
    paramstyle: str | None = None

    def __init__(
        self,
        url: sa.URL,
        *,
        conn_id: str,
        statement_timeout_seconds: float,
        log: logging.Logger | None = None,
        max_row_bytes: int = MAX_ROW_BYTES,
        row_security: str = FAIL,
    ) -> None:
        self.url, self.conn_id = url, conn_id
        self.statement_timeout_seconds = statement_timeout_seconds
        self.max_row_bytes, self.row_security = max_row_bytes, row_security
        self.log = log or logging.getLogger(__name__)
        dialect: Any = url.get_dialect()
        self._dialect = dialect(paramstyle=self.paramstyle)
        quote_all(self._dialect)
        self._chunks = Chunks(conn_id, max_row_bytes)
        self._session: Session | None = None
        self._turn = threading.Lock()
        self._closed = threading.Event()

    @abstractmethod
    def _connect(self) -> Session:
        """Open the read-only session."""

    @abstractmethod
    def _translated(self, doing: str) -> Any:
        """Return a context in which the driver's errors become `SourceError`."""

    @contextmanager
    def _using(self, doing: str) -> Iterator[Session]:
        """Yield the session for one statement on one thread. It is opened on first use.

        Raises:
            SourceError: the statement failed or got no answer, or the database is closed.
        """
        with self._answering(doing, self._cut_session), self._turn, self._translated(doing):
            self._refuse_closed(doing)
            if self._session is None:
                self._session = self._connect()
            yield self._session

    def _answering(self, doing: str, cut: Callable[[], None]) -> AbstractContextManager[None]:
        """Return a context with a deadline for a session of this database; see `answering`."""
        return answering(self.conn_id, doing, self.statement_timeout_seconds, cut)

    def _streaming(self) -> AbstractContextManager[Session]:
        return SqlDatabase._using(self, _READING)

    def _forget_session(self) -> None:
        super()._forget_session()
        self._session, self._turn, self._closed = None, threading.Lock(), threading.Event()
        self._chunks = Chunks(self.conn_id, self.max_row_bytes)

    def _cut_session(self) -> None:
        if self._session is not None:
            self._cut(self._session)

    def _refuse_closed(self, doing: str) -> None:
        if self._closed.is_set():
            raise SourceError(f"connection {self.conn_id!r} was closed by its run while {doing}")

    def reflect(self, table: str | None, sql: str | None) -> Reflected:
        """See `core.ports.Database.reflect`."""
        if sql is not None:
            selectable = query_source(sql, self.sql_dialect)
            columns, refused = self._describe(selectable, frozenset())
            return Reflected(selectable, columns, refused, state=self._query_state(selectable))
        facts = self._inspect(str(table))
        element = sa.table(facts.name, schema=facts.schema)
        columns, refused = self._describe(element, facts.not_null, facts.readable)
        known = facts.primary_key, facts.unique, facts.indexes, facts.small, facts.state, facts.withheld, facts.unlisted
        return Reflected(element, columns, refused, *known)

    @property
    def sql_dialect(self) -> Dialect:
        """See `core.ports.Database.sql_dialect`."""
        return UNKNOWN

    def _query_state(self, selectable: Any) -> TableState:  # noqa: ARG002  most databases report no query state
        """Return the state of a query; see `core.ports.TableState`."""
        return NOTHING_KNOWN

    @abstractmethod
    def _inspect(self, table: str) -> TableFacts:
        """Return the catalog's facts about a table or view. Its name is looked up as written, then in lower case.

        Raises:
            ConfigurationError: there is no table of that name; the message names similar ones.
        """

    @abstractmethod
    def _describe(
        self, selectable: Any, not_null: frozenset[str], names: Sequence[str] | None = None
    ) -> tuple[tuple[Column, ...], dict[str, str]]:
        """Return the columns that can be carried, and the names and types of those that can't.

        Args:
            selectable: a FROM element.
            not_null: columns in which the database allows no NULL.
            names: of the columns to describe, in order; None: all columns of `SELECT *`.
        """

    def bounded(self, column: Column) -> Any:
        """See `core.ports.Database.bounded`. The default is the bare column: the driver enforces the limit."""
        return sa.column(column.name)

    def quoted(self, name: str) -> str:
        """See `core.ports.Database.quoted`."""
        return quoted_for_people(self._dialect, name)

    def ordered(self, column: Column) -> bool:  # noqa: ARG002  `check` leaves that to the database
        """See `core.ports.Database.ordered`."""
        return True

    def check(self, query: Any) -> None:
        """See `core.ports.Database.check`."""
        self._describe(query.subquery("legacy_events_check"), frozenset())

    @abstractmethod
    def marking(self, of: Column) -> Any:
        """See `core.ports.Database.marking`."""

    @abstractmethod
    def now(self) -> dt.datetime:
        """See `core.ports.Database.now`."""

    @abstractmethod
    def writes(self, table: str) -> TableWrites:
        """See `core.ports.Database.writes`."""

    @abstractmethod
    def refusal(self, statement: Any) -> str | None:
        """See `core.ports.Database.refusal`."""

    def timed(self, of: Column) -> None:
        """See `core.ports.Database.timed`."""

    def ceiling(self, column: Any, of: Column, *, lag_seconds: float | None, timezone: str) -> Ceiling:
        """See `core.ports.Database.ceiling`."""
        condition = None if lag_seconds is None else self._until_now(column, of.kind, lag_seconds, timezone)
        return Ceiling(condition, "best_effort", _BEST_EFFORT)

    def reached(self, moment: dt.datetime, lag_seconds: float) -> Any:
        """See `core.ports.Database.reached`."""
        return self._until_now(bound(str(moment)), Kind.TIMESTAMP, lag_seconds, "UTC")

    @abstractmethod
    def _until_now(self, value: Any, kind: Kind, lag_seconds: float, timezone: str) -> Any:
        """Return the condition that a temporal value is at or before the database's now minus `lag_seconds`.

        Args:
            value: a column, or text as a bind parameter.
            kind: of the value.
            lag_seconds: seconds, 0 or more.
            timezone: name of the zone that a naive value is in.
        """

    def _gather(self, query: Any, chunks: Iterable[list[Row]], max_bytes: int | None) -> list[Row]:
        """Return the rows of a page of `query`, as `read` does; see `Chunks.gather`."""
        return self._chunks.gather(chunks, max_bytes, query.get_execution_options().get("key_columns", ()))

    def prefetch(self, query: Any) -> None:
        """See `core.ports.Database.prefetch`. By default nothing is prefetched."""

    def _compiled(self, query: Any) -> tuple[str, Any]:
        """Return the statement's text and parameters in the driver's format."""
        compiled = query.compile(dialect=self._dialect, compile_kwargs={"render_postcompile": True})
        values = compiled.construct_params()
        return str(compiled), tuple(values[name] for name in compiled.positiontup) if compiled.positional else values

    def listen(self, channel: str) -> AbstractContextManager[Listener]:
        """See `core.ports.Database.listen`."""
        raise ConfigurationError(
            f"channel={channel!r} was given, but connection {self.conn_id!r} leads to {self._dialect.name}, which has"
            " no NOTIFY; only PostgreSQL has it. Leave channel= out; polling every poll_interval finds the same rows"
        )

    def change_log(self, options: LogOptions) -> ChangeLog:  # noqa: ARG002  most databases have none
        """See `core.ports.Database.change_log`."""
        raise ConfigurationError(
            f"connection {self.conn_id!r} leads to {self._dialect.name}, whose change log can't be read; nothing was"
            " read. Use IncrementalQueryOperator, or OutboxDrainOperator with a table that the application writes"
        )

    def close(self) -> None:
        """Close the read session permanently, from any thread; interrupt its running statement first.

        Closing a session during a statement can crash a driver. If the statement can't be interrupted, the session is
        cut off instead of closed.
        """
        self._closed.set()
        self._close_streams()
        if not self._turn.acquire(blocking=False) and not self._interrupt_until_free():
            if self._session is not None:
                self._cut(self._session)
            return
        try:
            session, self._session = self._session, None
            if session is not None:
                self._end(session)
        finally:
            self._turn.release()

    def _interrupt_until_free(self) -> bool:
        """Interrupt the running statement until its thread releases the session; return whether it did."""
        until = time.monotonic() + _CLOSE_SECONDS
        while time.monotonic() < until:
            session = self._session
            if session is not None:
                self._interrupt(session)
            if self._turn.acquire(timeout=_INTERRUPT_SECONDS):
                return True
        return False

    @abstractmethod
    def _interrupt(self, session: Session) -> None:
        """Interrupt the statement running on `session`, if any."""

    def _cut(self, session: Session) -> None:
        """Cut off a session, from any thread, if its statement can't be interrupted. The statement then fails."""

    @abstractmethod
    def _end(self, session: Session) -> None:
        """Close `session`."""
