"""Database port: everything that differs between databases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.model.horizon import Ceiling
from airflow_legacy_events.core.ports.catalog import NextId, Reflection, ServerZone, TableWrites
from airflow_legacy_events.core.ports.change_log import ChangeLog, LogOptions
from airflow_legacy_events.core.ports.lease import Lease, Listener
from airflow_legacy_events.core.ports.versions import RowVersions
from airflow_legacy_events.core.ports.writers import Blocker, RowWriters, Written
from airflow_legacy_events.core.sql_dialects import Dialect


class Database(Protocol):
    """Dialect of one database, and its sessions. Two threads may read: a session runs one statement at a time."""

    @property
    def holds_snapshot(self) -> bool:
        """Whether `snapshot` is a real snapshot; without one a full load is not exact."""

    @property
    def enters_by_position(self) -> bool:
        """Whether `beyond` seeks an index directly, however many rows share the first column."""

    @property
    def has_slots(self) -> bool:
        """Whether its server keeps a change log by replication slots, which then name the streams."""

    @property
    def sql_dialect(self) -> Dialect:
        """How its sessions may parse a SQL text."""

    def identity(self) -> dict[str, str]:
        """Return the identity of this server and database, distinct from every other one; compared as a whole."""

    def position(self) -> dict[str, Any] | None:
        """Return this server's log position, such as WAL or GTID, as plain JSON; None if it reports none."""

    def behind(self, position: Mapping[str, Any]) -> str | None:
        """Return why this server is behind a `position` that was read before; None if it is not known to be.

        Waits for a standby to catch up, at most for the statement timeout.
        """

    def continues(self, server: Mapping[str, Any], position: Mapping[str, Any] | None) -> bool:
        """Return whether this server has all data of another one, proved by numbers unique to the two.

        Args:
            server: identity of the other one, as `identity` returned it.
            position: log position of the other one, as `position` returned it. Waits for a standby as in `behind`.
        """

    @property
    def returns_ids(self) -> bool:
        """Whether `next_id` may return ids of deleted rows again; then it is queried at every start."""

    def next_id(self, table: str, column: str) -> NextId:
        """Return the next value of the generator of a table's column."""

    def storage(self, table: str | None, query: Any = None) -> Any:
        """Return the current physical storage of a table's or query's rows, as plain JSON, even inside `snapshot`.

        A snapshot lacks rows if the storage was replaced after it began. None if the database blocks such a change
        while a snapshot reads, or knows no such change.

        Args:
            table: as the user wrote it; None for a query.
            query: a SQLAlchemy SELECT of that query.
        """

    @property
    def version(self) -> Column | None:
        """Hidden row version column that changes with every change of a row; None: values are compared instead."""

    @property
    def has_partial_indexes(self) -> bool:
        """Whether the database has partial indexes."""

    def quoted(self, name: str) -> str:
        """Return the name of a column or index, quoted, for a statement that a person runs."""

    def now(self) -> dt.datetime:
        """Return the current time of the database's clock, in UTC."""

    def zone(self) -> ServerZone | None:
        """Return the server's own time zone, as of the start of the session; None if it reports none."""

    def zone_origin(self) -> str | None:
        """Return the object whose setting the zone is, such as a role; None if it is the server's own."""

    def writes(self, table: str) -> TableWrites:
        """Return the effects of deleting or updating rows of a table.

        Raises:
            ConfigurationError: there is no such table, or its rows can't be deleted, as with a view.
        """

    def refusal(self, statement: Any) -> str | None:
        """Return why this user may not run a writing statement, None if it may; the statement is rolled back."""

    def lock(self, name: str, holder: Mapping[str, Any], *, table: str | None = None) -> AbstractContextManager[Lease]:
        """Hold the lock `name` while the context lasts; an earlier try of the same task is ended.

        Args:
            name: of the stream.
            holder: dag, task, run, map_index and try of the caller, and its host and pid; shown to other runs.
            table: `TableWrites.name`; then the table is locked, independent of the stream's name and the connection.

        Raises:
            BusyError: another run holds it.
            SourceError: it can't be taken here.
        """

    def reflect(self, table: str | None, sql: str | None) -> Reflection:
        """Return the catalog facts of a table or query, without reading rows of it.

        Raises:
            ConfigurationError: there is no such table, or the query is refused.
        """

    def bounded(self, column: Column) -> Any:
        """Return the column for a SELECT such that a value too large for any message fails before it fills the memory.

        The read then raises EnvelopeError.
        """

    def ordered(self, column: Column) -> bool:
        """Return False for a column whose order is meaningless although the database accepts it in ORDER BY."""

    def misordered(self, selectable: Any, column: Column) -> str | None:
        """Return why a text column sorts differently than it compares, and the remedy; None if not known to."""

    def check(self, query: Any) -> None:
        """Have the database parse a SQLAlchemy SELECT, without reading rows.

        Raises:
            ConfigurationError: it refuses the query, such as an ORDER BY of a type without an order.
        """

    def beyond(self, columns: Sequence[Any], values: Sequence[Any], *, inclusive: bool = False) -> Any:
        """Return the condition `(columns) > (values)`, or `>=`, in a form that can use an index."""

    def equal(self, column: Any, value: Any) -> Any:
        """Return the condition `column = value`, in a form whose index is preferred to those of other conditions."""

    def until(self, columns: Sequence[Any], values: Sequence[Any]) -> Any:
        """Return the condition `(columns) <= (values)`, in a form that can use an index."""

    def among(self, columns: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Any:
        """Return the condition that `(columns)` are one of `rows`, in a form that can use an index."""

    def unchanged(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], versions: Sequence[int]) -> Any:
        """Return the condition that a row is one of `rows` and still has the same version.

        Only for databases with a `version` column.

        Args:
            columns: that identify a row.
            rows: their texts.
            versions: one a row, from 0 to 2^32 - 1.
        """

    def marking(self, of: Column) -> Any:
        """Return the expression of the database's current time, to be written into a temporal column."""

    def timed(self, of: Column) -> None:
        """From now on, write each bound on a column that stores times as text in the format of its values.

        Called before a time bound is applied to the column. `bind`, `text` and `read` then refuse values whose text
        order differs from the order of time. Other columns are not affected.
        """

    def ceiling(self, column: Any, of: Column, *, lag_seconds: float | None, timezone: str) -> Ceiling:
        """Return the upper bound of a run: a temporal column at or below the database's now less `lag_seconds`.

        Args:
            column: of the condition, the first one of a position.
            of: its description.
            lag_seconds: seconds, 0 or more; None for a column that is not a time and has no bound.
            timezone: name of the zone of naive columns.
        """

    def reached(self, moment: dt.datetime, lag_seconds: float) -> Any:
        """Return the condition that the database's now less `lag_seconds` has reached `moment`, naive in UTC."""

    def text(self, value: Any, column: Column) -> str:
        """Return the watermark text of a value that was read."""

    def bind(self, text: str, column: Column) -> Any:
        """Return the value of a watermark `text`, to be bound in a condition on `column`."""

    def read(self, query: Any, max_bytes: int | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of one SELECT, read in its own short read-only transaction or in the open snapshot.

        Args:
            query: a SQLAlchemy SELECT. Its execution option `constant_columns` names columns that are equal in all
                rows: an index that begins with them has the order of its remaining columns. Its execution option
                `expected` holds the `Column`s that must come first in the result: names, kinds and types, though a
                length or precision may differ. `key_columns` names the columns that identify a row, for errors.
            max_bytes: the rows may end early once they hold about this many bytes; at least one row is returned.

        Raises:
            EnvelopeError: a row exceeds the configured maximum size.
            SchemaChangedError: the columns differ from `expected`.
            SourceError: the query failed, took longer than the statement timeout, or the connection was lost.
        """

    def prefetch(self, query: Any) -> None:
        """Prefetch: send the query of the next `read` ahead of time; only a hint.

        Any other call that queries the database cancels it. It raises nothing: `read` meets the same failure.
        """

    def stream(self, query: Any, limit: int, max_bytes: int) -> AbstractContextManager[Iterator[list[tuple[Any, ...]]]]:
        """Stream one SELECT: its rows are fetched in pages as they are taken, from one state of the data.

        It has its own session until the context ends, so every other call may be made meanwhile. The wait for a page is
        limited by the statement timeout; the statement as a whole has no timeout.

        Args:
            query: as in `read`.
            limit: maximum of rows of a page.
            max_bytes: as in `read`, of a page.

        Raises:
            EnvelopeError, SchemaChangedError, SourceError: as `read`, when a page is taken; earlier pages stay valid.
        """

    def snapshot(self) -> AbstractContextManager[None]:
        """Snapshot: all reads inside the context see the same state of the data; may be nested."""

    def listen(self, channel: str) -> AbstractContextManager[Listener]:
        """Listen to a channel of notifications, on a separate session that lasts as long as the context.

        It is opened when the context is entered, and outlives `close`.

        Raises:
            ConfigurationError: this database has no channels. On entering: it can't listen, or notifications don't
                arrive.
            SourceError: on entering: the database can't be reached.
        """

    def row_versions(self, table: str) -> RowVersions | None:
        """Return the versions of a table's rows, `table` as the user wrote it; None where rows have none."""

    def writers(self, of: Written) -> RowWriters | None:
        """Return the writers of a source's rows, without a statement; None where none can be seen: a lag must do."""

    def ending(self, blocker: Blocker) -> str | None:
        """Return the statement with which a person ends a session or prepared transaction; None if there is none."""

    def change_log(self, options: LogOptions) -> ChangeLog:
        """Return the change log; it connects on first use, and is closed by itself.

        Raises:
            ConfigurationError: this database has none that can be read.
        """

    def close(self) -> None:
        """End every session of this object, including a running statement; may be called from any thread."""
