"""Target port: the database whose tables a topic is applied to."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.lease import Answer


@dataclass(slots=True)
class RowState:
    """Last state of one row in a batch.

    Attributes:
        row: texts of the columns in the order of the shape; None is NULL, `ABSENT` a column that keeps its value.
        place: of the message that says so last.
        deleted: whether the row is deleted; only its key counts then.
        whole: whether the row was deleted before within the batch: a column that is absent gets its default.
        former: its key before the batch, if that changed; None if it did not.
        partial: names of columns that the source left out because they did not change.
    """

    row: tuple[Any, ...]
    place: int
    deleted: bool = False
    whole: bool = False
    former: tuple[Any, ...] | None = None
    partial: tuple[str, ...] = ()


class WholeRows(Sequence[RowState]):
    """Rows that are written, under the keys that they have, and name every column that may be written.

    Attributes:
        rows: texts of their columns; they may be packed.
        places: of their messages.
    """

    def __init__(self, rows: Sequence[tuple[Any, ...]], places: Sequence[int]) -> None:
        self.rows, self.places = rows, places

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[RowState]:
        return map(RowState, self.rows, self.places)

    def __getitem__(self, at: Any) -> Any:
        return list(self)[at]


@dataclass(slots=True)
class TableStates:
    """Last states of one table's rows, each key once and in the order of the keys.

    Attributes:
        shape: of the table.
        rows: that are written or deleted; `WholeRows` if that is known of them.
        truncated: whether all other rows are deleted first.
        skipped: messages of an older version than another one of the batch.
    """

    shape: TargetShape
    rows: Sequence[RowState] = field(default_factory=list)
    truncated: bool = False
    skipped: int = 0


class Counts(NamedTuple):
    """What became of the rows of a table.

    Attributes:
        upserted: rows that are as their messages say.
        deleted: keys that are gone; one that was not there counts.
        skipped: rows that a declared rule kept out, such as an older version or a repeat.
    """

    upserted: int = 0
    deleted: int = 0
    skipped: int = 0

    def plus(self, more: Counts) -> Counts:
        """Return the sum of both."""
        return Counts(self.upserted + more.upserted, self.deleted + more.deleted, self.skipped + more.skipped)


class ObjectionError(Exception):
    """The database objects to values: a constraint, or a type. The transaction is back at its last savepoint.

    Attributes:
        code: SQLSTATE or error number.
        reason: a sentence without values.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class TransactionLostError(Exception):
    """The database rolled the transaction back, as after a deadlock; begun again, it may pass."""


class OutcomeUnknownError(Exception):
    """The answer to a COMMIT was lost: whether the transaction took place shows only what it wrote."""


class Unit(Protocol):
    """An open transaction of a target."""

    def apply(self, states: TableStates) -> Counts:
        """Write and delete rows, and check that each is as its message says.

        Raises:
            ObjectionError: a value or constraint; what this call did is undone.
            TransactionLostError: all of the transaction is undone.
            TargetError: anything else, such as a missing right, or a trigger that kept a row out.
        """

    def settle(self) -> None:
        """Have the database judge deferred constraints now, as far as it can before COMMIT.

        Raises:
            ObjectionError, TransactionLostError: as `apply`.
        """

    def savepoint(self) -> AbstractContextManager[None]:
        """Return a context; if it is left by an exception, what was done inside is undone."""

    def holds(self, shape: TargetShape) -> bool:
        """Return whether the table has a row."""

    def roll_back(self) -> None:
        """Let the transaction end without being committed."""

    def execute(self, statement: Any) -> Answer:
        """Run a statement of SQLAlchemy in the transaction.

        Raises:
            TransactionLostError, TargetError: as `apply`.
        """


class Wanted(NamedTuple):
    """How a table is to be written, as the user declared it.

    Attributes:
        append: whether each message becomes a row.
        key: names of the columns that identify a row; (): the primary key, else a unique index over columns that are
            NOT NULL.
        version: name of the column whose higher value wins; None: none.
        deleted: name of the column that marks a deleted row; None: rows are deleted.
        event_id: name of the column that event ids are written to; None: they are not.
        others: tables that the same run writes, for the order of parents and children.
    """

    append: bool = False
    key: tuple[str, ...] = ()
    version: str | None = None
    deleted: str | None = None
    event_id: str | None = None
    others: tuple[str, ...] = ()


class NewColumn(NamedTuple):
    """A column that is added, or made with its table.

    Attributes:
        name: of it.
        kind: of its values; the database chooses the type.
        type: as the user wrote it, in the database's own words; None: by `kind` and the sizes.
        nullable: whether it takes NULL.
        precision: digits of a decimal; None: as many as there are.
        scale: digits behind the point of a decimal, or of a second; likewise.
        length: characters of a text, or bytes; likewise.
    """

    name: str
    kind: Kind
    type: str | None = None
    nullable: bool = True
    precision: int | None = None
    scale: int | None = None
    length: int | None = None


class Target(Protocol):
    """A database whose tables changes are applied to, through one session that may write."""

    def reflect(self, table: str, wanted: Wanted) -> TargetShape | None:
        """Return the shape of a table; None if there is no such table.

        Raises:
            ConfigurationError: it can't be written to as wanted; the message names all that is wrong, and the remedy.
            TargetError: the database can't be reached.
        """

    def identity(self, table: str) -> str | None:
        """Return what a table is known by until it is dropped, such as an OID; None if there is nothing.

        Raises:
            TargetError: the database can't be reached.
        """

    @property
    def identity_moves(self) -> bool:
        """Whether ALTER TABLE gives a table another identity, so that its rows decide; see `has_one`."""

    def has_one(self, shape: TargetShape, keys: Sequence[Sequence[Any]]) -> bool:
        """Return whether a table has the row of one of these keys, or any row if there are none.

        Raises:
            TargetError: as `transaction`.
        """

    def make(self, table: str, columns: Sequence[NewColumn], key: Sequence[str]) -> None:
        """Create a table, in a session and transaction of its own; one that another was faster to make is left.

        Raises:
            TargetError: the database refuses; the message holds the statement.
        """

    def add(self, table: str, columns: Sequence[NewColumn]) -> None:
        """Add columns to a table, likewise; those that are there already are left."""

    def added(self, table: str, columns: Sequence[NewColumn]) -> str:
        """Return the ALTER TABLE that `add` runs, for a person to run."""

    def identity_of(self, shape: TargetShape, key: Sequence[Any]) -> Hashable:
        """Return a value that is equal for two keys exactly if the table can't hold both."""

    def transaction(self) -> AbstractContextManager[Unit]:
        """Return a context that is a transaction: committed when it ends, rolled back by an exception.

        Raises:
            ObjectionError, TransactionLostError: at COMMIT; nothing was changed.
            OutcomeUnknownError: at COMMIT.
            TargetError: the database can't be reached, or refuses.
        """

    def close(self) -> None:
        """End the session; may be called from any thread."""


class PositionStore(Protocol):
    """Keeps the watermark of a stream in the target, written within the transaction of the rows."""

    def load(self, stream: str) -> Any:
        """Return the stored watermark, None if there is none.

        Raises:
            WatermarkError: it can't be read, or not understood.
        """

    def save(self, unit: Unit, stream: str, new: Any, *, expected: Any) -> None:
        """Compare and set, within the transaction.

        Raises:
            WatermarkError: the stored watermark is not `expected`; the transaction must not be committed.
        """

    def forget(self, stream: str) -> None:
        """Remove the watermark."""
