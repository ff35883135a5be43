"""Change log: positions, tables and row changes as a reader yields them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import Column, Kind


class LogPosition(NamedTuple):
    """Position in a change log: everything that committed before `place`, and part of what commits there.

    Attributes:
        place: of a transaction in the log, in the database's own notation: the LSN where it commits, or the
            `file:position` where it begins in a log that holds committed transactions one after the other.
        changes: number of delivered changes of the transaction at `place`.
    """

    place: str
    changes: int = 0


class TableName(NamedTuple):
    """Table of a change log; a partition carries the name of its root table."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


HIDDEN: tuple[Column, ...] = (
    Column("legacy_events_place", Kind.TEXT, "text", nullable=False, checked=True),
    Column("legacy_events_number", Kind.INTEGER, "integer", nullable=False),
    Column("legacy_events_time", Kind.INSTANT, "timestamptz", nullable=True),
    Column("legacy_events_unchanged", Kind.TEXT, "text", nullable=True),
)
"""Columns that follow those of the table in each row of `LogRows`.

Name of the transaction, number of the change in it (from 1), commit time, and the names of columns that an UPDATE left
unchanged and the log left out, as a JSON array; None if there are none.

A transaction is named by its place, or by its GTID where it has one: that is the same on every server of a history, and
so is the event ID that is made of it.
"""


@dataclass(frozen=True, eq=False)
class LogForm:
    """Columns of a table as the log describes them at one place. Its rows share one object until the table changes.

    Attributes:
        table: the table; for a partition its root.
        columns: in the order of the log; without generated columns that the log leaves out.
        identity: names of the columns that the log has of an old row: the key, or all columns.
        numbers: the database's own number of each column, which survives a rename; None where it is not known.
        types: of each column, where they say more than `Column.type`, such as a length; as in `LogColumn.type`.
    """

    table: TableName
    columns: tuple[Column, ...]
    identity: tuple[str, ...]
    numbers: tuple[int | None, ...] = ()
    types: tuple[str, ...] = ()


@dataclass(slots=True)
class LogRows:
    """Changes of one table, in the order of the log.

    Attributes:
        form: columns of the rows.
        ops: `c`, `u` or `d` of each row. An UPDATE of the key is a `d` of the old key and a `c` of the new row.
        rows: values by `form.columns`, as text, then by `HIDDEN`. Of a `d`, the old row. `ABSENT` where the log has no
            value.
        before: old rows of `u` and `d`, as far as the log has them, by `form.columns`; None for a `c`. None as a
            whole if they were not requested.
    """

    form: LogForm
    ops: list[str]
    rows: list[tuple[Any, ...]]
    before: list[tuple[Any, ...] | None] | None = None


class LogTruncate(NamedTuple):
    """TRUNCATE of a table, or of some partitions of it.

    Attributes:
        form: of the table.
        hidden: values by `HIDDEN`.
        partial: whether only partitions were truncated.
    """

    form: LogForm
    hidden: tuple[Any, ...]
    partial: bool = False


class LogGap(NamedTuple):
    """Changes of a table that can't be reported: the log does not hold them, or a row of it can't be read.

    Attributes:
        table: whose rows changed.
        hidden: values by `HIDDEN`, of the place.
        why: in words, without values; such as "a partition with rows was attached".
        lost: whether the log holds the change, but it can't be delivered. Then the run fails there, unless the table
            is read again. Otherwise the run continues, and is not complete until the table was read again.
        removed: whether rows may have gone.
    """

    table: TableName
    hidden: tuple[Any, ...]
    why: str
    lost: bool = False
    removed: bool = False


class LogMessage(NamedTuple):
    """A logical message that the application wrote into the log in its own transaction.

    Attributes:
        prefix: of the message.
        content: of the message; as bytes where it is no text in the database's encoding.
        hidden: values by `HIDDEN`.
    """

    prefix: str
    content: str | bytes
    hidden: tuple[Any, ...]


class LogEvent(NamedTuple):
    """An event of a log that holds the changes of a transaction in events of rows.

    Attributes:
        number: of its first change in the transaction, from 1.
        place: where it begins, as text; in a compressed transaction that of the whole.
        end: place behind it, likewise.
    """

    number: int
    place: str
    end: str


class LogTransaction(NamedTuple):
    """A transaction, as far as its log describes it.

    Attributes:
        place: of it; see `LogPosition`.
        number: of it, unique for the server's lifetime; None if the log has none.
        gtid: of it; None if it has none.
        server_id: of the server that it was first committed on; None if the log has none.
        thread: of the session that wrote it; None if the log has none.
        time: in seconds since 1970, as the log has it; None if it has none.
        end: place behind it; None if that is not known.
        changes: how many changes of the tables it has; None if that is not known.
        events: for logs that hold rows in events: those that have changes of the tables, in ascending order.
        changed: time of its last change in seconds since 1970, which is the same on every server of a history, as
            `time` need not be; None if it is not known.
    """

    place: str
    number: int | None = None
    gtid: str | None = None
    server_id: int | None = None
    thread: int | None = None
    time: int | None = None
    end: str | None = None
    changes: int | None = None
    events: Sequence[LogEvent] = ()
    changed: int | None = None


class LogNotes(NamedTuple):
    """What the log says of rows beside them, for envelopes that carry it.

    Attributes:
        transactions: by their name in `HIDDEN`, in the order of the log.
        moved: of both changes that an UPDATE of the key is, by the name and number in `HIDDEN`, the row of the other
            one, by `LogForm.columns`.
        place: of the snapshot that these rows are of; None for changes.
    """

    transactions: Mapping[str, LogTransaction] = MappingProxyType({})
    moved: Mapping[tuple[Any, ...], tuple[Any, ...]] = MappingProxyType({})
    place: str | None = None


_NO_NOTES = LogNotes()


@dataclass(slots=True)
class LogChunk:
    """A part of the log that is confirmed and saved together.

    Attributes:
        parts: rows grouped by table, since order is promised per key, and messages in their order; a truncation or gap
            is a chunk of its own.
        end: position after it. A chunk may end inside a transaction.
        transactions: numbers of the transactions with rows in it, unique for the server's lifetime.
        committed: how many transactions ended in it.
        bytes: of the log, from the end of the previous chunk.
        final: whether the target of the run is reached.
        notes: about its rows.
        facts: of the log that changed with it, as plain JSON, to be kept with the watermark behind it.
    """

    parts: Sequence[LogRows | LogTruncate | LogMessage | LogGap]
    end: LogPosition
    transactions: tuple[int, ...] = ()
    committed: int = 0
    bytes: int = 0
    final: bool = False
    notes: LogNotes = _NO_NOTES
    facts: Mapping[str, Any] = field(default_factory=dict)


class LogState(NamedTuple):
    """State of the log at the source, for the report.

    Attributes:
        end: where the log ends now.
        lag_bytes: from the acknowledged position to its end.
        held_bytes: that the server keeps for this stream; None if unknown.
        held_by: what makes it keep more than the lag: `pid` or `gid`, `user`, `since`; None if nothing does.
        status: the server's word for whether the log is still complete, such as `reserved` or `lost`; None if it has
            none.
        slot: name of the replication slot; None if there is none.
    """

    end: str
    lag_bytes: int | None = None
    held_bytes: int | None = None
    held_by: Mapping[str, Any] | None = None
    status: str | None = None
    slot: str | None = None
