"""Database port: what one database spells differently."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.model.horizon import Ceiling
from airflow_legacy_events.core.ports.catalog import NextId, Reflection, ServerZone, TableWrites
from airflow_legacy_events.core.sql_dialects import Dialect


class Lease(Protocol):
    """A held lock of a stream."""

    def check(self) -> None:
        """Check that the lock is still ours, as the source itself sees it.

        Raises:
            SourceError: the lock's session is gone; somebody else may hold the lock by now.
        """

    def execute(self, statements: Sequence[Any]) -> list[Answer]:
        """Run statements in one transaction on a session that may write; it commits only while the lock is ours.

        The transaction is READ COMMITTED where the database lets it be. A deadlock is tried again, from the first
        statement on.

        Args:
            statements: of SQLAlchemy, so few that they lock about a thousand rows at most. One may be a function that
                makes it of the answers before it; where that returns None, its answer is empty.

        Returns:
            The answer to each statement, in order. Rows are in the form in which `Database.read` returns them.

        Raises:
            SourceError: the lock is lost, or a statement failed; nothing was changed. Where the answer to the commit
                itself was lost, that is not known.
        """


class Listener(Protocol):
    """A session that listens to a channel of notifications."""

    def wait(self) -> bool:
        """Wait until notifications come, and return True: once for all that came since; False once it was ended.

        Raises:
            SourceError: the session is lost, and with it what was sent meanwhile.
        """

    def end(self) -> None:
        """Let `wait` return False, also one that goes on; from any thread."""


class Answer(NamedTuple):
    """What a statement gave.

    Attributes:
        rows: tuples as `Database.read` returns them; empty for a statement that returns none.
        number: of the rows that it returned, changed or deleted.
    """

    rows: list[tuple[Any, ...]]
    number: int


class Database(Protocol):
    """Dialect of one database, and its sessions. Two threads may read: the session serves one statement at a time."""

    @property
    def holds_snapshot(self) -> bool:
        """Whether `snapshot` keeps its promise; a full load from a database where it can't is not exact."""

    @property
    def enters_by_position(self) -> bool:
        """Whether `beyond` enters an index at its place, however many rows share the first column."""

    @property
    def sql_dialect(self) -> Dialect:
        """How its sessions may read a SQL text."""

    def identity(self) -> dict[str, str]:
        """Return the identity of this server and database, distinct from every other one; compared as a whole."""

    def position(self) -> dict[str, Any] | None:
        """Return how far this server is, such as its WAL or GTID position, as plain JSON; None where it tells none."""

    def behind(self, position: Mapping[str, Any]) -> str | None:
        """Return why this server is behind a `position` that was read before; None where it is not known to be.

        A standby is waited for, the statement timeout at most.
        """

    def continues(self, server: Mapping[str, Any], position: Mapping[str, Any] | None) -> bool:
        """Return whether this server has all that another one had, proved by numbers that no third server gives.

        Args:
            server: identity of the other one, as `identity` gave it.
            position: how far it was, as `position` gave it. A standby is waited for as in `behind`.
        """

    @property
    def returns_ids(self) -> bool:
        """Whether `next_id` may hand out ids of deleted rows again; then it is asked at every start."""

    def next_id(self, table: str, column: str) -> NextId:
        """Return what the generator of a table's column hands out next."""

    def storage(self, table: str | None, query: Any = None) -> Any:
        """Return where the rows of a table or query lie, as plain JSON, as it is now: also inside `snapshot`.

        Rows are missing from a snapshot whose storage was exchanged since. None where the database refuses such a
        change while a snapshot reads, or has no such thing.

        Args:
            table: as the user wrote it; None for a query.
            query: a SQLAlchemy SELECT of that query.
        """

    @property
    def version(self) -> Column | None:
        """A hidden column that every change of a row changes; None where rows have none, and values are compared."""

    @property
    def has_partial_indexes(self) -> bool:
        """Whether an index may leave rows out."""

    def quoted(self, name: str) -> str:
        """Return the name of a column or index as a statement has it that a person runs, in quotes."""

    def now(self) -> dt.datetime:
        """Return the database's clock, in UTC."""

    def zone(self) -> ServerZone | None:
        """Return the server's own zone, as it was when the session began; None where it tells none."""

    def zone_origin(self) -> str | None:
        """Return what the zone is set for, such as a role; None where it is the server's own."""

    def writes(self, table: str) -> TableWrites:
        """Return what deleting or updating rows of a table meets.

        Raises:
            ConfigurationError: there is no such table, or it is none whose rows can be deleted, such as a view.
        """

    def refusal(self, statement: Any) -> str | None:
        """Return why this user may not run a statement that writes, None where it may; it is rolled back."""

    def lock(self, name: str, holder: Mapping[str, Any], *, table: str | None = None) -> AbstractContextManager[Lease]:
        """Take the lock `name` for as long as the context lasts; an earlier try of the same task is ended.

        Args:
            name: of the stream.
            holder: dag, task, run, map_index and try of the caller, and its host and pid; others are shown it.
            table: `TableWrites.name`; then the lock is that table's, whatever the stream is called and whichever
                connection leads to it.

        Raises:
            BusyError: somebody else holds it.
            SourceError: it can't be taken here.
        """

    def reflect(self, table: str | None, sql: str | None) -> Reflection:
        """Return what is known of a table, or of a query, without reading rows of it.

        Raises:
            ConfigurationError: there is no such table, or the query is refused.
        """

    def bounded(self, column: Column) -> Any:
        """Return the column for a SELECT, in which a value too large for any message fails before it fills the memory.

        The read then raises EnvelopeError.
        """

    def ordered(self, column: Column) -> bool:
        """Return False for a column whose order means nothing though the database takes it in an ORDER BY."""

    def check(self, query: Any) -> None:
        """Let the database parse a SQLAlchemy SELECT, without reading rows.

        Raises:
            ConfigurationError: it refuses the query, such as an ORDER BY of a type that has no order.
        """

    def beyond(self, columns: Sequence[Any], values: Sequence[Any], *, inclusive: bool = False) -> Any:
        """Return the condition `(columns) > (values)`, or `>=`, spelled so that an index serves it."""

    def equal(self, column: Any, value: Any) -> Any:
        """Return the condition `column = value`, spelled so that an index serves it before any other condition does."""

    def until(self, columns: Sequence[Any], values: Sequence[Any]) -> Any:
        """Return the condition `(columns) <= (values)`, spelled so that an index serves it."""

    def among(self, columns: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Any:
        """Return the condition that `(columns)` are one of `rows`, spelled so that an index serves it."""

    def unchanged(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], versions: Sequence[int]) -> Any:
        """Return the condition that a row is one of `rows` and still has that one's version.

        Only where there is a `version`.

        Args:
            columns: that identify a row.
            rows: their texts.
            versions: one a row, from 0 to 2^32 - 1.
        """

    def marking(self, of: Column) -> Any:
        """Return the expression of the database's time now, to be written into a temporal column."""

    def timed(self, of: Column) -> None:
        """Let each bound on a column that keeps times as text be written as its values are, from now on.

        Called before a bound of time is laid on the column. Whatever makes its order another one than that of time is
        then refused by `bind`, `text` and `read`. Other columns stay as they are.
        """

    def ceiling(self, column: Any, of: Column, *, lag_seconds: float | None, timezone: str) -> Ceiling:
        """Return the upper bound of a run: a temporal column at or below the database's now less `lag_seconds`.

        Args:
            column: of the condition, the first one of a position.
            of: what is known of it.
            lag_seconds: seconds, 0 or more; None for a column that is no time and has no bound.
            timezone: name of the zone of naive columns.
        """

    def reached(self, moment: dt.datetime, lag_seconds: float) -> Any:
        """Return the condition that the database's now less `lag_seconds` has come to `moment`, naive in UTC."""

    def text(self, value: Any, column: Column) -> str:
        """Return the watermark's text of a value that was read."""

    def bind(self, text: str, column: Column) -> Any:
        """Return the value that `text` stands for, to be bound in a condition on `column`."""

    def read(self, query: Any, max_bytes: int | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of one SELECT, from a short read-only transaction of its own or the open snapshot.

        Args:
            query: a SQLAlchemy SELECT. Its execution option `constant_columns` names columns that are equal in all
                its rows: an index that begins with them is in the order of the columns behind them. Its execution
                option `expected` holds the `Column`s that it must give first: their names, kinds and types, of which a
                length or precision may differ. `key_columns` names those that identify a row, for errors.
            max_bytes: the rows may be cut short once they hold about so many bytes, at least one row is returned.

        Raises:
            EnvelopeError: a row is larger than the database was told that it may be.
            SchemaChangedError: it gives other columns than `expected`.
            SourceError: the query failed, took longer than the statement timeout, or the connection was lost.
        """

    def prefetch(self, query: Any) -> None:
        """Prefetch: let the server begin with the query of the next `read`; a hint, and never an obligation.

        Any other call that asks the database ends it. It raises nothing: what fails here, the read will meet.
        """

    def stream(self, query: Any, limit: int, max_bytes: int) -> AbstractContextManager[Iterator[list[tuple[Any, ...]]]]:
        """Read one SELECT as a stream: its rows come in pages, as they are taken, from one state of the data.

        It has a session of its own, so every other call may be made meanwhile, and lasts until the context ends. A
        wait for a page may last as long as a statement may; the statement itself is ended by no timeout.

        Args:
            query: as in `read`.
            limit: rows of a page, at most.
            max_bytes: as in `read`, of a page.

        Raises:
            EnvelopeError, SchemaChangedError, SourceError: as `read`, where a page is taken; pages before it stay true.
        """

    def snapshot(self) -> AbstractContextManager[None]:
        """Let every read inside the context see one and the same state of the data; may be nested."""

    def listen(self, channel: str) -> AbstractContextManager[Listener]:
        """Listen to a channel of notifications, on a session of its own that lasts as long as the context.

        It is opened when the context is entered, and outlives `close`.

        Raises:
            ConfigurationError: this database has none. On entering: it can't listen, or notifications don't arrive.
            SourceError: on entering: the database can't be reached.
        """

    def close(self) -> None:
        """End every session of this object, a running statement too; may be called from any thread."""
