"""Messages that were read from a topic, and the changes of a target's rows that they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import Elements, Kind
from airflow_legacy_events.core.model.batch import Batch
from airflow_legacy_events.core.model.packed import Packing

UPSERT, DELETE, TRUNCATE = "u", "d", "t"


@dataclass(slots=True)
class Received:
    """Messages as they were read, column by column; those of one partition are in its order.

    Attributes:
        topics: of each message.
        partitions: of each.
        offsets: of each.
        keys: of each; None for a message without one.
        values: of each; None for a tombstone.
        headers: of each.
        timestamps: of each, in milliseconds since 1970-01-01 UTC; None if the broker has none.
    """

    topics: Sequence[str]
    partitions: Sequence[int]
    offsets: Sequence[int]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Sequence[Sequence[tuple[str, bytes | None]]]
    timestamps: Sequence[int | None]

    def __len__(self) -> int:
        return len(self.offsets)

    def name_of(self, at: int) -> str:
        """Return how a message is named in errors: topic, partition and offset."""
        return f"{self.topics[at]}[{self.partitions[at]}]@{self.offsets[at]}"


class TargetColumn(NamedTuple):
    """Column of a target table, and what fits into it.

    Attributes:
        name: as the database has it.
        kind: of its values.
        type: the database's own name of the type, for errors.
        nullable: whether it takes NULL.
        has_default: whether a new row may leave it out.
        written: whether a row may name it; False for a generated column.
        numbered: whether the database numbers new rows by it, with a sequence, identity or AUTO_INCREMENT.
        low: least integer; None for other kinds.
        high: highest integer; None for other kinds.
        precision: digits of a decimal; None: as many as there are.
        scale: digits behind the point of a decimal, or of a second; None: as many as there are.
        length: characters of a text, or bytes; None: as many as there are.
        elements: of an array.
    """

    name: str
    kind: Kind
    type: str
    nullable: bool = True
    has_default: bool = False
    written: bool = True
    numbered: bool = False
    low: int | None = None
    high: int | None = None
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    elements: Elements | None = None


@dataclass(frozen=True, eq=False)
class TargetShape:
    """Table that changes are applied to. All changes of a run share one object.

    Attributes:
        table: as the user wrote it.
        columns: all of them, in order.
        key: positions of the columns that identify a row; empty for a table that is only appended to.
        facts: what the target needs besides, in its own terms.
        version: position of the column whose higher value wins; a message below the row's value is kept out.
        deleted: position of the column that marks a deleted row, which is then kept; None: it is deleted.
        repeats: positions of a unique event id; on a table that is only appended to, a conflict on it is a repeat.
        parents: tables that its foreign keys point to, named like `table` as far as the user named them.
        warnings: what a person should know at the start of a run, such as children that a delete takes along.
        infinite: whether its numbers and times may be infinite, and its numbers NaN.
        incomplete: whether its times may be days without a year, month or day, such as 0000-00-00.
        packing: how rows that name all columns are packed; None: the target takes them as they are.
    """

    table: str
    columns: tuple[TargetColumn, ...]
    key: tuple[int, ...]
    facts: Any = None
    version: int | None = None
    deleted: int | None = None
    repeats: tuple[int, ...] = ()
    parents: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    infinite: bool = False
    incomplete: bool = False
    packing: Packing | None = None

    def named(self, positions: Sequence[int]) -> tuple[str, ...]:
        """Return the names of the columns at `positions`, in that order."""
        return tuple(self.columns[at].name for at in positions)


@dataclass(slots=True)
class TableChanges:
    """Changes of one table's rows, in the order of their messages.

    Attributes:
        shape: of the table.
        ops: `UPSERT`, `DELETE` or `TRUNCATE`, of each.
        rows: the target's texts of each row's columns, in the order of the shape; None is NULL, `ABSENT` a column that
            the message does not have. Of a deleted row only the key counts.
        places: of each, its message among those received.
        moved: the former key of a row whose key changed, by index, where the message has it.
        partial: names of the columns that the source left out because they did not change, by index.
        complete: whether it is known that all are upserts which name every column that may be written.
        last: last states of the rows, if they were reduced ahead, see `reduce_ahead`; () if a row has several messages.
    """

    shape: TargetShape
    ops: list[str] = field(default_factory=list)
    rows: Sequence[tuple[Any, ...]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    moved: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    partial: dict[int, tuple[str, ...]] = field(default_factory=dict)
    complete: bool = False
    last: Sequence[Any] | None = None


class Poison(NamedTuple):
    """A message that can't be applied.

    Attributes:
        place: among those received.
        error: `NOT_JSON`, `NO_KEY`, `VALUE`, `INCOMPLETE`, `SIZE`, `CONSTRAINT`, or the database's code.
        reason: a sentence that names column and type, without the message's content.
    """

    place: int
    error: str
    reason: str


@dataclass(slots=True)
class Changes:
    """What a batch of messages means.

    Attributes:
        received: the messages.
        tables: changes by table.
        skipped: number of messages without a meaning for these tables, such as the tombstone beside a delete.
        poison: messages that can't be understood.
        bytes: of all keys and values.
        longest: upper bound of the bytes of one message.
        facts: that the messages add to the watermark, and that later watermarks keep.
    """

    received: Received
    tables: Mapping[str, TableChanges]
    skipped: int = 0
    poison: Sequence[Poison] = ()
    bytes: int = 0
    longest: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    def checked(self, batch: Batch) -> Changes:  # noqa: ARG002  each message is counted where it is decoded
        """See `Payload.checked`."""
        return self

    def repeated(self, mode: str) -> None:
        """See `Payload.repeated`; a row that is written again is not marked."""
