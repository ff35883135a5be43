"""What the parts of the binlog reader give each other: events, table maps, images of rows, and forms of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.model.log import LogForm, TableName


class BinlogPlace(NamedTuple):
    """A place in the binlog; see `places`.

    Attributes:
        file: name of the file.
        position: in it, in bytes; counted in 64 bits, although the log's own field has 32.
    """

    file: str
    position: int


class Event(NamedTuple):
    """An event of the binlog, without its header and checksum.

    Attributes:
        kind: its type code.
        time: in seconds since 1970.
        server_id: of the server that wrote it first.
        flags: of its header.
        file: name of its file.
        start: position of its first byte; for an event inside of a compressed transaction, that of the whole.
        end: position behind it, likewise.
        body: what follows its header.
        nested: whether it was inside of a compressed transaction.
    """

    kind: int
    time: int
    server_id: int
    flags: int
    file: str
    start: int
    end: int
    body: bytes
    nested: bool = False


class Dump(Protocol):
    """A session that streams the binlog; it serves one thread, but may be closed from any."""

    def events(self, place: BinlogPlace) -> Iterator[Event]:
        """Yield the events from a place, which is where an event begins, up to the end of the log; then it ends.

        Checksums are verified, artificial events and heartbeats are left out, and compressed transactions and events
        are opened: a TRANSACTION_PAYLOAD yields its events (`nested`), a compressed QUERY or rows event the plain one.
        The log of the source is never held as a whole, nor is one transaction of it.

        Raises:
            TornFileError: a file ends inside of an event.
            SourceError: the log can't be read; names file and position.
        """

    def close(self) -> None:
        """End the session."""


class TableMap(NamedTuple):
    """TABLE_MAP event: the table of the rows events that follow, as the log describes it.

    Attributes:
        id: that rows events refer to.
        database: of the table, as the log has it.
        table: its name.
        types: type code of each column; that of ENUM, SET and CHAR is read from the metadata.
        metadata: of each column, as a number; 0 where it has none. See `binlog.table_map.table_map`.
        nullable: whether each column may be NULL.
        unsigned: whether each column is unsigned; None where the log does not say.
        collations: number of each text or label column's collation; None for others and where the log does not say.
        names: of the columns; None where the log does not say.
        labels: of ENUM and SET columns, as bytes in their collation; None for others and where the log does not say.
        primary_key: places of the primary key's columns; None where the log does not say.
        geometries: geometry type of each column; None for others and where the log does not say.
        raw: the body of the event behind the table's ID: equal for maps that mean the same.
    """

    id: int
    database: str
    table: str
    types: tuple[int, ...]
    metadata: tuple[int, ...]
    nullable: tuple[bool, ...]
    unsigned: tuple[bool, ...] | None
    collations: tuple[int | None, ...] | None
    names: tuple[str, ...] | None
    labels: tuple[tuple[bytes, ...] | None, ...] | None
    primary_key: tuple[int, ...] | None
    geometries: tuple[int | None, ...] | None
    raw: bytes


@lru_cache(maxsize=256)
def _all_set(width: int, bits: bytes) -> bool:
    """Return whether so many bits are set, the lowest of each byte first."""
    full = (1 << width) - 1
    return int.from_bytes(bits, "little") & full == full


class RowsEvent(NamedTuple):
    """Rows event: images of rows of one table.

    Attributes:
        table: ID of its table map.
        op: `c`, `u` or `d`.
        ends: whether it is the last of its statement.
        width: number of columns.
        present: bits of the columns that the images hold; of an UPDATE, those before it.
        present_after: bits of the columns of the images after an UPDATE; those of `present` otherwise.
        body: of the event.
        at: where the first image begins in it.
        partial: whether images after the UPDATE hold parts of JSON values (PARTIAL_UPDATE_ROWS).
    """

    table: int
    op: str
    ends: bool
    width: int
    present: bytes
    present_after: bytes
    body: bytes
    at: int
    partial: bool = False

    @property
    def whole(self) -> bool:
        """Whether all columns are present."""
        return _all_set(self.width, self.present) and _all_set(self.width, self.present_after)

    def holds(self, needed: int) -> bool:
        """Return whether all images have the same columns, and all that are needed; see `ReadTable`."""
        lacking = ~int.from_bytes(self.present, "little")
        return self.whole or (self.present == self.present_after and not needed & lacking)


class LoggedColumn(NamedTuple):
    """A column of a table map, with what is needed to read its values.

    Attributes:
        column: as rows have it; None if it is never part of a row, such as a hidden or an invisible system column.
        type: code of the log.
        metadata: of the table map.
        unsigned: whether it is unsigned.
        character_set: the server's name of its character set; `binary` for bytes, None for other types.
        labels: of an ENUM or SET, as texts.
        declared: the declared type as the catalog has it, where the log's type does not suffice: `bit(n)`, `json` of
            MariaDB, `uuid`, `inet6`, a zero-filled width; None if it is not needed or not known.
    """

    column: Column | None
    type: int
    metadata: int
    unsigned: bool = False
    character_set: str | None = None
    labels: tuple[str, ...] = ()
    declared: str | None = None


Row = tuple[Any, ...]
Convert = Callable[[str, Sequence[bytes]], Sequence[str | None]]
"""Converts texts of a character set that Python does not have as the server has it; one call for a block of values.

None stands for a text that can't be converted. See `character_sets`."""


class UnreadableValueError(Exception):
    """A value of a row can't be carried; the text names the column and why, never the value."""


class RowReader(Protocol):
    """Reads the images of one table map; made by `rows.row_reader`, one for each different map.

    Rows hold, as texts that the query operators read too, the values of the columns whose `LoggedColumn.column` is not
    None, in their order.
    """

    def images(self, event: RowsEvent, old: tuple[int, ...] | None = None) -> list[Row]:
        """Return the images of an event whose columns are all present; of an UPDATE, old and new rows in turn.

        Args:
            event: of the table.
            old: places of the values that are needed of the rows before an UPDATE, others may be None; None: all.

        Raises:
            ValueError: the event is damaged.
            UnreadableValueError: a value can't be carried; names the column, not the value.
        """


class ReadTable(NamedTuple):
    """A table of the stream at one place of the log.

    Attributes:
        form: of its rows.
        reader: of their images.
        key: places of the message key in `form.columns`.
        row_end: of a system-versioned table, the place in rows of the reader where its `row_end` stands, behind all
            columns of the form; such a row is current if that is the highest time. None for other tables.
        needed: bits of the columns that images must hold; -1 for all. MariaDB 11 leaves generated ones out of some.
    """

    form: LogForm
    reader: RowReader
    key: tuple[int, ...]
    row_end: int | None = None
    needed: int = -1


class Effect(NamedTuple):
    """What a statement in the log does to a table of the stream.

    Attributes:
        table: that it concerns.
        kind: `truncate`, `gap`, `lost` (changes that the log does not hold, such as DML as a statement: an error),
            `altered` (its columns may be others from here on), or `fine`.
        why: in words, without values.
        partial: of a truncation, whether only partitions of it were emptied.
        removed: of a gap, whether rows may have gone.
    """

    table: TableName
    kind: str
    why: str = ""
    partial: bool = False
    removed: bool = False


class Forms(Protocol):
    """What the stream knows of its tables, from the log and the catalog."""

    def wanted(self, database: str, table: str) -> TableName | None:
        """Return the table of the stream that a name in the log means, None if it is not read."""

    def of(self, map_: TableMap, where: BinlogPlace) -> ReadTable:
        """Return how the rows of a wanted table's map are read.

        Raises:
            SourceError: the names or types of its columns at that place are not known; names the remedy.
        """

    def effects(
        self,
        statement: str,
        database: str,
        where: BinlogPlace,
        *,
        collation: int | None = None,
        backslashes: bool = True,
    ) -> Sequence[Effect]:
        """Return what a statement of a QUERY event does to tables of the stream; it takes note of changed tables.

        Args:
            statement: its text, read as UTF-8 with what is none as lone surrogates.
            database: the session's default database.
            where: the place of its event.
            collation: number of the collation of the statement's character set; None if the log does not say.
            backslashes: whether a backslash escapes the character behind it.
        """

    def facts(self) -> Mapping[str, Any]:
        """Return what must be known of the tables when the next run begins, as plain JSON; changes with `of`."""


class BinlogAccess(NamedTuple):
    """Ways into the server, for the parts of the change log.

    Attributes:
        conn_id: Airflow's name of the connection, for messages.
        dump: opens a session that streams the binlog, with a server ID of its own.
        ask: runs a statement on a session beside the one that reads rows, and returns its rows as texts; the first
            argument says what for.
        hold: begins a snapshot on the session that reads rows.
        look: runs a statement on that session, likewise.
        timeout_seconds: of a statement.
        max_row_bytes: raw bytes of a row of the log.
        log: of the task.
    """

    conn_id: str
    dump: Callable[[], Dump]
    ask: Callable[..., list[tuple[Any, ...]]]
    hold: Callable[[], AbstractContextManager[None]]
    look: Callable[[str, str], list[tuple[Any, ...]]]
    timeout_seconds: float
    max_row_bytes: int
    log: Any
