"""A server in memory, over a SQLite file: tables, and a log whose transactions queries may see later."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import ABSENT, Column, Kind
from airflow_legacy_events.core.model import (
    LogForm,
    TableName,
)

SCHEMA = "main"
_STEP = 10
RECORD = 5

Row = tuple[Any, ...]


@dataclass
class Table:
    """A table: its columns after the key, and its rows by key as their committed state."""

    name: str
    form: LogForm
    rows: dict[Row, Row] = field(default_factory=dict)
    numbers: int = 0

    @property
    def key(self) -> Sequence[int]:
        names = [one.name for one in self.form.columns]
        return [names.index(name) for name in self.form.identity]


class Change(NamedTuple):
    """One change: `c`, `u`, `d`, `t`, `m` for a message of prefix and content, or a gap's words."""

    table: str
    form: LogForm
    op: str
    row: Row
    before: Row | None = None


class Transaction(NamedTuple):
    number: int
    commit: int
    changes: tuple[Change, ...]


@dataclass
class Server:
    """A database with a log, which outlives the processes that read it.

    A transaction is in the log as soon as it committed; queries see it once it was applied to the file. If `named`, its
    transactions have names that say nothing of their places.
    """

    path: Path
    tables: dict[str, Table] = field(default_factory=dict)
    log: list[Transaction] = field(default_factory=list)
    unapplied: list[Transaction] = field(default_factory=list)
    at: int = 0
    begun: int | None = None
    members: set[str] = field(default_factory=set)
    confirmed: int = 0
    number: int = 0
    filled: dict[str, set[str]] = field(default_factory=dict)
    named: bool = False

    def __post_init__(self) -> None:
        with self.session() as session:
            session.execute("PRAGMA journal_mode = WAL")

    @contextmanager
    def session(self) -> Iterator[sqlite3.Connection]:
        session = sqlite3.connect(self.path, isolation_level=None)
        with contextlib.closing(session):
            session.execute("PRAGMA synchronous = OFF")
            yield session

    def create(self, name: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        """Make a table of INTEGER and TEXT columns."""
        spelled = ", ".join(
            f"{one} {type_} NOT NULL" if one in key else f"{one} {type_}" for one, type_ in columns.items()
        )
        with self.session() as session:
            session.execute(f"CREATE TABLE {name} ({spelled}, PRIMARY KEY ({', '.join(key)})) WITHOUT ROWID")
        self.tables[name] = Table(
            name, _form(name, columns, tuple(key), range(1, len(columns) + 1)), numbers=len(columns)
        )

    def add_column(self, name: str, column: str, default: str | None = None) -> None:
        """Add a TEXT column, whose default fills the rows that are there."""
        self.apply()
        table = self.tables[name]
        table.numbers += 1
        with self.session() as session:
            clause = "" if default is None else f" DEFAULT '{default}'"
            session.execute(f"ALTER TABLE {name} ADD COLUMN {column} TEXT{clause}")
        form = table.form
        table.form = LogForm(
            form.table,
            (*form.columns, Column(column, Kind.TEXT, "TEXT")),
            form.identity,
            (*form.numbers, table.numbers),
        )
        table.rows = {key: (*row, default) for key, row in table.rows.items()}
        if default is not None:
            self.filled.setdefault(name, set()).add(column)

    def rename_column(self, name: str, column: str, to: str) -> None:
        self.apply()
        with self.session() as session:
            session.execute(f"ALTER TABLE {name} RENAME COLUMN {column} TO {to}")
        form = self.tables[name].form
        columns = tuple(one._replace(name=to) if one.name == column else one for one in form.columns)
        self.tables[name].form = LogForm(form.table, columns, form.identity, form.numbers)

    def drop(self, name: str) -> None:
        self.apply()
        with self.session() as session:
            session.execute(f"DROP TABLE {name}")
        del self.tables[name]

    def commit(self, *changes: tuple[str, str, Row, Row | None], visible: bool = True) -> None:
        """Commit changes: table, what was done, key or row, and the key that it replaces.

        What was done is `put`, `delete`, `truncate`, `gap`, or `message`, whose row is prefix and content.
        """
        self.number += 1
        self.at += _STEP
        found = [one for change in changes for one in self._changes(*change)]
        transaction = Transaction(self.number, self.at, tuple(found))
        self.log.append(transaction)
        self.at += RECORD
        self.unapplied.append(transaction)
        if visible:
            self.apply()

    def foreign(self, count: int = 1) -> None:
        """Have the log grow by what is not of our tables."""
        self.at += count

    def apply(self, count: int | None = None) -> None:
        """Let queries see the first of the committed transactions, or all."""
        taken = len(self.unapplied) if count is None else count
        due, self.unapplied = self.unapplied[:taken], self.unapplied[taken:]
        if due:
            with self.session() as session:
                session.execute("BEGIN IMMEDIATE")
                for transaction in due:
                    for change in transaction.changes:
                        self._apply(session, change)
                session.execute("COMMIT")

    def rows(self, name: str) -> dict[Row, Row]:
        return self.tables[name].rows

    def _changes(self, name: str, what: str, row: Row, replaced: Row | None = None) -> Iterator[Change]:
        table = self.tables[name]
        if what in ("truncate", "truncate some"):
            table.rows.clear()
            yield Change(name, table.form, "t" if what == "truncate" else "t some", ())
        elif what == "message":
            yield Change(name, table.form, "m", row)
        elif what.startswith("gap"):
            yield Change(name, table.form, what, row)
        elif what == "delete":
            old = table.rows.pop(row)
            yield Change(name, table.form, "d", self._identity(table, old), self._identity(table, old))
        else:
            key = tuple(row[at] for at in table.key)
            if replaced is not None and replaced != key:
                old = table.rows.pop(replaced)
                yield Change(name, table.form, "d", self._identity(table, old), self._identity(table, old))
                yield Change(name, table.form, "c", row)
            elif (old := table.rows.get(key)) is not None:
                yield Change(name, table.form, "u", row, self._identity(table, old))
            else:
                yield Change(name, table.form, "c", row)
            table.rows[key] = row

    @staticmethod
    def _identity(table: Table, row: Row) -> Row:
        return tuple(value if at in table.key else ABSENT for at, value in enumerate(row))

    def _apply(self, session: sqlite3.Connection, change: Change) -> None:
        table, names = self.tables.get(change.table), [one.name for one in change.form.columns]
        if table is None or change.op == "m" or change.op.startswith("gap"):
            return
        if change.op.startswith("t"):
            session.execute(f"DELETE FROM {change.table}")
        elif change.op == "d":
            where = " AND ".join(f"{name} = ?" for name in change.form.identity)
            key = [change.row[names.index(name)] for name in change.form.identity]
            session.execute(f"DELETE FROM {change.table} WHERE {where}", key)
        else:
            marks = ", ".join("?" for _ in names)
            columns = ", ".join(names)
            session.execute(f"INSERT OR REPLACE INTO {change.table} ({columns}) VALUES ({marks})", change.row)


def _form(name: str, columns: Mapping[str, str], key: tuple[str, ...], numbers: Any) -> LogForm:
    kinds = {"INTEGER": Kind.INTEGER, "TEXT": Kind.TEXT}
    found = tuple(Column(one, kinds[type_], type_, one not in key) for one, type_ in columns.items())
    return LogForm(TableName(SCHEMA, name), found, key, tuple(numbers))
