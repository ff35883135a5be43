"""The benchmark's orders in a database that keeps its log for several readers: each reads the same transactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

from tests.benchmarks.legacy.base import Table

OURS, DEBEZIUM = "ours", "debezium"
TRANSACTION_ROWS = 1_000


class Watch(Protocol):
    """Watches the server's session that sends the log, as long as the context lasts.

    Attributes:
        began: when it began to stream, on the monotonic clock; None if it never did.
        metered: what the meter said then.
        cpu: seconds of that session since then.
    """

    began: float | None
    metered: Any
    cpu: float

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Logged:
    """Keeps in mind who has read the rows of one preparation; mixed into a server of `legacy`.

    Attributes:
        readers: of the same rows.
        written: the table of the last preparation.
        stream: our own on the table that was emptied last.
    """

    readers: ClassVar[Sequence[str]]
    written: Table
    stream: Any = None

    def __init__(self) -> None:
        super().__init__()
        self._unread: set[str] = set()
        self._prepared: tuple[int, int] | None = None

    def schema(self, table: Table) -> str:
        """Return the first part of a table's name in the log."""
        raise NotImplementedError

    def arguments(self) -> Mapping[str, Any]:
        """Return the arguments of a new stream of ours that only this database needs."""
        raise NotImplementedError

    def watch(self, table: Table, name: Any, meter: Callable[[], Any] = lambda: None) -> Watch:
        """Watch who sends the log of a table: to the stream with this slot, or to anyone where there are no slots."""
        raise NotImplementedError

    def empty(self) -> Table:
        """Return the empty table in a database of its own; the one before it is dropped."""
        raise NotImplementedError

    def opened_last(self, rows: int) -> Table:
        """Return the table that was emptied last, which by now holds so many rows."""
        raise NotImplementedError

    def write(self, rows: int, size: int) -> None:
        """Write rows in transactions of this size."""
        raise NotImplementedError

    def begin_others(self, table: Table) -> None:
        """Let the other readers begin at the empty table."""
        raise NotImplementedError

    def ready(self, reader: str, rows: int, size: int, begin: Callable[[Table], None]) -> Table:
        """Return the table with rows that this reader has not read.

        Args:
            reader: who reads them.
            rows: how many were written, all behind the beginning of each reader.
            size: of a transaction.
            begin: makes our own stream; called with the empty table.
        """
        if reader not in self._unread or self._prepared != (rows, size):
            table = self.empty()
            begin(table)
            self.begin_others(table)
            self.write(rows, size)
            self.written = self.opened_last(rows)
            self._unread, self._prepared = set(self.readers), (rows, size)
        self._unread.discard(reader)
        return self.written

    def holds(self, rows: int, size: int) -> bool:
        """Whether the rows of the last preparation are these."""
        return self._prepared == (rows, size)

    def unread(self, reader: str) -> None:
        """Say that a reader has not read them after all."""
        self._unread.add(reader)
