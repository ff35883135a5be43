"""The change log of a server in memory, and the database that reads its tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.model import (
    LogChunk,
    LogForm,
    LogGap,
    LogMessage,
    LogNotes,
    LogPosition,
    LogRows,
    LogState,
    LogTransaction,
    LogTruncate,
    TableName,
)
from airflow_legacy_events.core.ports import LogColumn, LogTable
from airflow_legacy_events.databases.sqlite import SqliteDatabase
from tests.support.memory_server import RECORD, SCHEMA, Change, Server, Transaction


class MemoryLog:
    """The log of a server, as one process reads it; see `core.ports.ChangeLog`.

    Args:
        server: whose log it is.
        database: reads its tables.
        between: called wherever others may write.
    """

    def __init__(self, server: Server, database: MemoryDatabase, between: Callable[[], None]) -> None:
        self.server, self._database, self.between = server, database, between
        self.closed = False
        self.messages: Collection[str] = ()
        self.reads: list[tuple[LogPosition, str]] = []
        self.happened: dict[TableName, list[str]] = {}
        self.left_out: list[str] = []

    database = SCHEMA
    product = "memory"

    def recall(self, stored: Mapping[str, Any]) -> None:
        pass

    def tables(self, patterns: Sequence[str]) -> Sequence[TableName]:
        found = []
        for pattern in patterns:
            _, _, name = pattern.partition(".")
            found += sorted(self.server.tables) if name == "*" else [name]
        return [TableName(SCHEMA, name) for name in found]

    def check(self, tables: Sequence[LogTable]) -> None:
        """Everything is as it should be."""

    def guard(
        self, stored: Mapping[str, Any] | None, position: LogPosition | None, renewed: Collection[TableName] = ()
    ) -> Mapping[str, Any]:
        assert position is None or self.server.confirmed <= int(position.place)
        return self.facts()

    def facts(self) -> Mapping[str, Any]:
        return {"server": {"path": str(self.server.path)}}

    def untold(self, stored: Mapping[str, Any]) -> Mapping[TableName, Sequence[str]]:
        return self.happened

    def unlogged(self, tables: Sequence[LogTable]) -> Sequence[str]:
        return self.left_out

    def omitted(self, table: TableName) -> frozenset[str]:
        return frozenset()

    def columns(self, table: TableName) -> Mapping[str, LogColumn]:
        form, filled = self.server.tables[table.name].form, self.server.filled.get(table.name, set())
        names = [one.name for one in form.columns]
        return {name: LogColumn(number, name in filled) for name, number in zip(names, form.numbers, strict=True)}

    def located(self, position: LogPosition) -> LogPosition:
        return position

    def end(self) -> str:
        return str(self.server.at)

    def compare(self, one: str, other: str) -> int:
        return int(one) - int(other)

    def begin(self, tables: Sequence[LogTable]) -> LogPosition:
        self.server.apply()
        if self.server.begun is None:
            self.server.begun = self.server.confirmed = self.server.at
        self.server.members |= {one.name.name for one in tables}
        return LogPosition(str(self.server.begun))

    def join(self, tables: Sequence[LogTable]) -> None:
        self.server.members |= {one.name.name for one in tables}

    def read(self, after: LogPosition, until: str, rows: int) -> Iterator[LogChunk]:
        self.reads.append((after, until))
        place, low = int(after.place), int(until)
        assert place >= self.server.confirmed, "read what the server may have dropped"
        position = after
        for transaction in [one for one in self.server.log if place <= one.commit < low]:
            end = LogPosition(str(transaction.commit + RECORD))
            numbered = [
                (number, change)
                for number, change in enumerate(transaction.changes, 1)
                if (transaction.commit, number) > (place, after.changes) and self._wanted(change)
            ]
            for first in range(0, len(numbered), rows):
                self.between()
                block = numbered[first : first + rows]
                whole = first + rows >= len(numbered)
                position = end if whole else LogPosition(str(transaction.commit), block[-1][0])
                yield from self._chunks(transaction, block, position, committed=whole)
        self.between()
        yield LogChunk((), position if int(position.place) > low else LogPosition(until), final=True)

    def _wanted(self, change: Change) -> bool:
        return change.row[0] in self.messages if change.op == "m" else change.table in self.server.members

    def _chunks(
        self, transaction: Transaction, block: Sequence[tuple[int, Change]], end: LogPosition, *, committed: bool
    ) -> Iterator[LogChunk]:
        """Yield a chunk; what is no row is one of its own."""
        groups: list[list[tuple[int, Change]]] = []
        for numbered in block:
            alone = not _is_row(numbered[1]) or not groups or not _is_row(groups[-1][0][1])
            (groups.append([numbered]) if alone else groups[-1].append(numbered))
        for group in groups:
            last = group is groups[-1]
            position = end if last else LogPosition(str(transaction.commit), group[-1][0])
            numbers = (transaction.number,) if _is_row(group[0][1]) else ()
            parts = self._parts(transaction, group)
            place = str(transaction.commit)
            notes = LogNotes({self._name(transaction): LogTransaction(place)} if self.server.named else {})
            yield LogChunk(parts, position, numbers, int(last and committed), 5 * len(group), notes=notes)

    def _name(self, transaction: Transaction) -> str:
        return f"gtid:{-transaction.commit}" if self.server.named else str(transaction.commit)

    def _parts(self, transaction: Transaction, group: Sequence[tuple[int, Change]]) -> list[Any]:
        parts: dict[LogForm, LogRows] = {}
        found: list[Any] = []
        for number, change in group:
            hidden = (self._name(transaction), number, None, None)
            if change.op.startswith("gap"):
                lost, removed = "lost" in change.op, "removed" in change.op
                return [LogGap(change.form.table, hidden, change.op, lost, removed)]
            if change.op.startswith("t"):
                return [LogTruncate(change.form, hidden, partial="some" in change.op)]
            if change.op == "m":
                found.append(LogMessage(*change.row, hidden))
                continue
            if change.form not in parts:
                parts[change.form] = LogRows(change.form, [], [], [])
                found.append(parts[change.form])
            part = parts[change.form]
            part.ops.append(change.op)
            part.rows.append((*map(_text, change.row), *hidden))
            assert part.before is not None
            part.before.append(None if change.before is None else tuple(map(_text, change.before)))
        return found

    def acknowledge(self, place: str) -> None:
        assert not self.closed
        self.server.confirmed = max(self.server.confirmed, int(place))

    @contextmanager
    def snapshot(self, tables: Sequence[LogTable]) -> Iterator[Snapshot]:
        with self._database.snapshot():
            self._database.fix()
            invisible = {one.number for one in self.server.unapplied}
            taken = Snapshot(str(self.server.at), invisible, self.server.number)
            self.between()
            yield taken

    def beyond(self, table: LogTable, reached: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> list[bool]:
        columns = {one.name: one for one in table.reflection.columns}
        kinds = [columns[name].kind for name in table.key]

        def comparable(key: Sequence[Any]) -> list[Any]:
            return [int(one) if kind is Kind.INTEGER else one for one, kind in zip(key, kinds, strict=True)]

        return [comparable(one) > comparable(reached) for one in keys]

    def unseen(self, transactions: Collection[int]) -> tuple[int, ...]:
        invisible = {one.number for one in self.server.unapplied}
        return tuple(one for one in transactions if one in invisible)

    def state(self) -> LogState:
        held = self.server.at - self.server.confirmed
        return LogState(self.end(), held, held, status="reserved")

    def close(self) -> None:
        self.closed = True


class Snapshot(NamedTuple):
    place: str
    invisible: Collection[int]
    newest: int

    def unseen(self, transactions: Collection[int]) -> tuple[int, ...]:
        return tuple(one for one in transactions if one in self.invisible or one > self.newest)


class MemoryDatabase(SqliteDatabase):
    """The tables of a server, as one process reads them."""

    def __init__(self, server: Server, between: Callable[[], None] = lambda: None) -> None:
        url = sa.URL.create("sqlite", database=str(server.path))
        super().__init__(url, conn_id="legacy", statement_timeout_seconds=30)
        self.memory_log = MemoryLog(server, self, between)

    def fix(self) -> None:
        """Read something, so that an open snapshot stands where it does from now on."""
        super().read(sa.select(sa.literal_column("count(*)")).select_from(sa.table("sqlite_master")))

    def read(self, query: Any, max_bytes: int | None = None) -> list[tuple[Any, ...]]:
        self.memory_log.between()
        return super().read(query, max_bytes)

    def change_log(self, options: Any) -> Any:
        self.memory_log.messages = options.messages
        return self.memory_log


def _is_row(change: Change) -> bool:
    return change.op in ("c", "u", "d", "m")


def _text(value: Any) -> Any:
    return value if value is None or value is ABSENT else str(value)
