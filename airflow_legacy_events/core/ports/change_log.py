"""Change log port: a database's log of committed changes, read from a position to a target."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core.model.log import LogChunk, LogPosition, LogState, TableName
from airflow_legacy_events.core.ports.catalog import Reflection


class LogTable(NamedTuple):
    """A table whose changes are read, as it is when a run begins.

    Attributes:
        name: of the table.
        reflection: its catalog facts.
        key: names of the key columns, all within what the log has of an old row.
        written: the name for `Database.reflect`.
        excluded: names of the columns that are never sent.
    """

    name: TableName
    reflection: Reflection
    key: tuple[str, ...]
    written: str
    excluded: tuple[str, ...] = ()


class LogColumn(NamedTuple):
    """A column of a table as the catalog has it now.

    Attributes:
        number: the database's own number of it, as in `LogForm.numbers`; None if it has none.
        filled: whether rows that were there before the column may hold a value in it that the log never showed, since
            the column came with a default, is NOT NULL or is computed.
        type: of the column, as in `LogForm.types`; None if it is that of the reflection.
        period: whether it says from or until when a version of a row holds. The database may have added it to the
            primary key; among the rows that are read the rest of that is unique.
    """

    number: int | None = None
    filled: bool = False
    type: str | None = None
    period: bool = False


class LogOptions(NamedTuple):
    """Arguments of a stream that its change log needs.

    Attributes:
        stream: name of the stream.
        dag: id of the DAG.
        slot: name of the replication slot, None where the database has none.
        publication: name of the publication, None where the database has none.
        given: whether the user named the publication, which is then never changed.
        before: whether old rows are wanted.
        messages: prefixes of the logical messages to read.
        interval_seconds: between two scheduled runs; None if unknown.
    """

    stream: str
    dag: str
    slot: str | None = None
    publication: str | None = None
    given: bool = False
    before: bool = False
    messages: tuple[str, ...] = ()
    interval_seconds: float | None = None


class LogSnapshot(Protocol):
    """A snapshot that stands at one place of the log; `Database.read` reads in it."""

    @property
    def place(self) -> str:
        """Place of the log: everything that the snapshot sees committed before it.

        What committed before it and is not seen is found by `unseen`.
        """

    def unseen(self, transactions: Collection[int]) -> tuple[int, ...]:
        """Return which of these transactions, which the log shows as committed, the snapshot does not see yet."""


class ChangeLog(Protocol):
    """The change log of one database, with sessions of its own.

    `acknowledge` is called from another thread than the one that iterates over `read`.
    """

    @property
    def database(self) -> str:
        """Name of the database, as its server knows it."""

    @property
    def product(self) -> str:
        """Product of the server: `postgresql`, `mariadb` or `mysql`."""

    def recall(self, stored: Mapping[str, Any]) -> None:
        """Take note of the facts of a watermark, before its tables are looked up; `guard` checks them."""

    def tables(self, patterns: Sequence[str]) -> Sequence[TableName]:
        """Return the tables that patterns name: `schema.table`, or `schema.*` for all base tables of a schema.

        Raises:
            ConfigurationError: a pattern names no table, or something without a log, such as a view.
        """

    def check(self, tables: Sequence[LogTable]) -> None:
        """Check rights, settings and tables for reading their log; every fault is reported, with the SQL that fixes it.

        Raises:
            LegacyEventsError: the only fault, or one error that lists all.
        """

    def guard(
        self, stored: Mapping[str, Any] | None, position: LogPosition | None, renewed: Collection[TableName] = ()
    ) -> Mapping[str, Any]:
        """Check that the log continues where a watermark ends; return the facts to keep with the next watermark.

        Args:
            stored: facts of the watermark; None for a stream that was never begun.
            position: of the watermark; None if it has none yet.
            renewed: tables that this run reads again; no change of them is an error.

        Raises:
            WatermarkError: it is another server, or changes behind the position are lost.
            SourceError: the log is in use by another session.
        """

    def located(self, position: LogPosition) -> LogPosition:
        """Return where the position of a watermark lies in the log of this server, once `guard` has returned.

        It differs where another server of the same history has taken over, whose log has other places.
        """

    def end(self) -> str:
        """Return the place where the log ends now; a run reads up to there."""

    def compare(self, one: str, other: str) -> int:
        """Compare two places: below 0, 0 or above 0 if `one` lies before, at or behind `other`."""

    def begin(self, tables: Sequence[LogTable]) -> LogPosition:
        """Make what the server needs to keep the log, on the first run; return the position where it begins.

        Takes over what an earlier first run of this stream made before it was killed.

        Raises:
            SourceError: it could not be made in time; the error names the oldest open transaction.
        """

    def join(self, tables: Sequence[LogTable]) -> None:
        """Let tables join the log; returns once every writer that began before has ended.

        Raises:
            SourceError: a writer did not end in time.
        """

    def facts(self) -> Mapping[str, Any]:
        """Return the facts to keep with the next watermark, as of now; to be called after `begin` and `join`.

        `guard` returns the same, as they are when a run begins.
        """

    def untold(self, stored: Mapping[str, Any]) -> Mapping[TableName, Sequence[str]]:
        """Return what happened to tables since these facts and is in no log, in words, such as an attached partition.

        Such a table's topic does not rebuild it before the table is read again.
        """

    def unlogged(self, tables: Sequence[LogTable]) -> Sequence[str]:
        """Return in words which changes of these tables the server does not log, such as those by a foreign key.

        While there are any, the stream is not complete.
        """

    def omitted(self, table: TableName) -> frozenset[str]:
        """Return the names of the columns that the log leaves out, such as generated ones; a snapshot must too."""

    def columns(self, table: TableName) -> Mapping[str, LogColumn]:
        """Return the columns of a table by name, as the catalog has them now; empty if there is no such table."""

    def read(self, after: LogPosition, until: str, rows: int) -> Iterator[LogChunk]:
        """Yield the changes behind a position up to a place; a transaction that commits beyond it is not read.

        Ends with a `final` chunk, which may be empty. May be called again after it ended.

        Args:
            after: changes at or below it are dropped.
            until: place where it ends.
            rows: maximum of rows of a chunk.

        Raises:
            SourceError: the log can't be read on.
            SchemaChangedError: a table changed in a way that can't be read.
        """

    def acknowledge(self, place: str) -> None:
        """Report to the server that everything before `place` is saved, so that it may drop it. Idempotent."""

    def snapshot(self, tables: Sequence[LogTable]) -> AbstractContextManager[LogSnapshot]:
        """Open a snapshot that stands at one place of the log; reads of the database are made in it."""

    def beyond(self, table: LogTable, reached: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> list[bool]:
        """Return for each key, as texts, whether the database orders it after the key `reached`."""

    def unseen(self, transactions: Collection[int]) -> tuple[int, ...]:
        """Return which of these transactions, which the log shows as committed, a snapshot taken now would not see."""

    def state(self) -> LogState:
        """Return the state of the log at the source."""

    def close(self) -> None:
        """End the log's sessions, and free what they hold; may be called from any thread, and again."""
