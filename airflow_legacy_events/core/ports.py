"""The five ports: what the relay and the sources call, and what each call promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.model import (
    Batch,
    Horizon,
    Messages,
    Pending,
    Receipt,
    Rejection,
    Span,
    Stream,
    Watermark,
    Window,
)


class Lease(Protocol):
    """A held lock of a stream."""

    def check(self) -> None:
        """Return while the lock is still ours, as the source itself sees it.

        Raises:
            SourceError: the lock's session is gone; somebody else may hold the lock by now.
        """


@runtime_checkable
class Source(Protocol):
    """Where rows come from."""

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Horizon:
        """Check everything, then fix where this run ends; nothing is read for delivery before it returns.

        Args:
            at: the stored watermark; None when the stream was never begun. With a window: how far an earlier try
                came in it.
            window: the rows to send again, as they are now; None: those above the watermark.

        Raises:
            ConfigurationError, SourceError, WatermarkError: nothing was read, nothing moved.
        """

    def batches(self) -> Iterator[Batch]:
        """Yield the rows above the watermark up to the target, in watermark order.

        Called once, after `open`, from the read-ahead thread. Ends without a `final` batch when a row budget
        is used up before the target.

        Raises:
            SourceError: a read failed; batches already yielded stay true.
        """

    def acknowledge(self, receipt: Receipt) -> None:
        """Tell the source that the rows of `receipt` are delivered and saved.

        Idempotent: the same receipt comes again after a crash. Called after the watermark that carries it was
        saved, and at the start of a run with the receipt of the loaded watermark, before `open`.
        """

    def pending(self, at: Watermark | None) -> Pending:
        """Return what a run from `at` would read if it were opened now: the same bounds, nothing read for delivery.

        May be called again and again, instead of `open`, on one object. When nothing is pending it costs one look
        into an index; what is fixed for a table is looked at only the first time.

        Args:
            at: the stored watermark; None when the stream was never begun.

        Raises:
            ConfigurationError, SourceError, WatermarkError: as `open` does, except for what only reading finds out.
        """


@runtime_checkable
class Envelope(Protocol):
    """Turns rows into messages."""

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """Return the encoder of one shape; it is called for each batch of that shape, in the read-ahead thread.

        It gives one message for each row, in the batch's order; with more or fewer the run fails and sends none.

        Raises:
            EnvelopeError: from here when a column can't be carried, from the encoder when a row can't.
        """


@runtime_checkable
class Broker(Protocol):
    """Where messages go."""

    def publish(self, messages: Messages) -> None:
        """Hand all messages over, in order; blocks while the broker's queue is full, never drops.

        Raises:
            DeliveryError: they can't be handed over.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def confirm(self) -> Sequence[Rejection]:
        """Wait until everything handed over since the last call is decided; return what was rejected.

        A message is called rejected only after it was refused when sent singly. Empty means: all acknowledged.

        Raises:
            DeliveryError: the fate of a message is unknown (timed out, purged), or the broker failed as a whole.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """


@runtime_checkable
class WatermarkStore(Protocol):
    """Where it is kept how far a stream was delivered."""

    def load(self, stream: str) -> Watermark | None:
        """Return the watermark of `stream`, None only when it is proved never to have been written.

        Raises:
            WatermarkError: it can't be read, or not understood.
        """

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """Replace `expected` by `new`; when it returns, every later `load` gives `new`.

        Raises:
            WatermarkError: something else than `expected` was found, or the write failed.
        """

    def forget(self, stream: str) -> None:
        """Remove the watermark of `stream`, readable or not; one that is absent stays absent.

        Called for the progress of a replay that is done.

        Raises:
            WatermarkError: it could not be removed.
        """


class Reflection(Protocol):
    """What a database says of a table or a query before any row of it is read."""

    @property
    def selectable(self) -> Any:
        """A SQLAlchemy FROM element; its columns are addressed by name."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns that can be carried, in order."""

    @property
    def refused(self) -> Mapping[str, str]:
        """The other columns' names, with the database's name of their types."""

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Empty for a query, a view or a table without one."""

    @property
    def unique(self) -> tuple[tuple[str, ...], ...]:
        """Column lists of the other unique indexes and constraints that cover every row."""

    @property
    def indexes(self) -> tuple[tuple[str, ...], ...] | None:
        """Column lists of all indexes; None where they can't be known."""

    @property
    def small(self) -> bool:
        """Whether the catalog proves that no value is large; `Database.bounded` has its price."""


class Database(Protocol):
    """What one database spells differently. Its reads come from one thread at a time."""

    @property
    def holds_snapshot(self) -> bool:
        """Whether `snapshot` keeps its promise; a full load from a database where it can't is not exact."""

    @property
    def enters_by_position(self) -> bool:
        """Whether `beyond` enters an index at its place, however many rows share the first column."""

    def identity(self) -> dict[str, str]:
        """Return what tells this server and database from every other one; compared as a whole."""

    def lock(self, name: str, holder: Mapping[str, Any]) -> AbstractContextManager[Lease]:
        """Take the lock `name` for as long as the context lasts; an earlier try of the same task is ended.

        Args:
            name: of the stream.
            holder: dag, task, run, map_index and try of the caller, and its host and pid; others are shown it.

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

    def past(self, column: Any, kind: Kind, lag_seconds: float, timezone: str) -> Any:
        """Return the condition that a temporal column lies at or below the database's now less `lag_seconds`.

        Args:
            column: to compare.
            kind: of the column.
            lag_seconds: seconds, 0 or more.
            timezone: IANA name of the zone of naive columns.
        """

    def text(self, value: Any, column: Column) -> str:
        """Return a value that was read as the text that a watermark keeps."""

    def bind(self, text: str, column: Column) -> Any:
        """Return the value that `text` stands for, to be bound in a condition on `column`."""

    def read(self, query: Any, max_bytes: int | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of one SELECT, from a short read-only transaction of its own or the open snapshot.

        Args:
            query: a SQLAlchemy SELECT.
            max_bytes: the rows may be cut short once they hold about so many bytes, at least one row is returned.

        Raises:
            SourceError: the query failed, took longer than the statement timeout, or the connection was lost.
        """

    def ahead(self, query: Any) -> None:
        """Let the server begin with a query that `read` will probably be asked next; a hint, and never an obligation.

        Whatever else is asked of the database ends it. It raises nothing: what fails here, the read will meet.
        """

    def snapshot(self) -> AbstractContextManager[None]:
        """Let every read inside the context see one and the same state of the data."""

    def close(self) -> None:
        """End every session of this object, a running statement too; may be called from any thread."""
