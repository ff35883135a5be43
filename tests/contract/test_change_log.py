"""Contract of change logs: the one in memory, by which sources are tried, behaves as those of the databases."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.model import LogPosition, LogRows, LogTruncate, TableName
from airflow_legacy_events.core.ports import LogTable
from tests.support.binlogs import BINLOGGED, binlogged_database
from tests.support.engines import of
from tests.support.memory_log import MemoryDatabase
from tests.support.memory_server import SCHEMA, Server
from tests.support.slots import logged_database


class Memory:
    """Tables in memory.

    Attributes:
        identity: the columns that the log has of an old row: its key, or all.
        numbered: whether the log has numbers of transactions, of which a snapshot may not see each yet.
        truncated: number of a truncation in the middle of a transaction, which it may end.
    """

    schema = SCHEMA
    identity: tuple[str, ...] = ("id",)
    numbered, truncated = True, 2

    def __init__(self, path):
        self.server = Server(path / "legacy.db")
        self.server.create("orders", {"id": "INTEGER", "note": "TEXT"}, ["id"])

    def commit(self, *changes):
        names = {"insert": "put"}
        found = [("orders", names.get(what, what), row, replaced) for what, row, replaced in changes]
        self.server.commit(*found)

    def alter(self, what):
        if what == "rename":
            self.server.rename_column("orders", "note", "memo")
        else:
            self.server.add_column("orders", "size", "5" if what == "default" else None)

    @contextmanager
    def log(self) -> Iterator[Any]:
        with closing(MemoryDatabase(self.server)) as database:
            yield database.memory_log, database


class Postgres:
    """Tables of a PostgreSQL database."""

    schema = "public"
    identity: tuple[str, ...] = ("id",)
    numbered, truncated = True, 2
    rename = "RENAME COLUMN note TO memo"
    put = "ON CONFLICT (id) DO UPDATE SET note = excluded.note"

    def __init__(self, logged):
        self.logged = logged

    def commit(self, *changes):
        with self.logged.legacy.connect() as session:
            session.execute("BEGIN")
            for what, row, replaced in changes:
                session.execute(*self.statement(what, row, replaced))
            session.execute("COMMIT")

    def statement(self, what, row, replaced):
        if what == "truncate":
            return ("TRUNCATE orders",)
        if what == "delete":
            return "DELETE FROM orders WHERE id = %s", row
        if replaced is not None:
            return "UPDATE orders SET id = %s, note = %s WHERE id = %s", (*row, *replaced)
        if what == "insert":
            return "INSERT INTO orders VALUES (%s, %s)", row
        return f"INSERT INTO orders VALUES (%s, %s) {self.put}", row

    def alter(self, what):
        clauses = {
            "rename": self.rename,
            "default": "ADD COLUMN size varchar(9) DEFAULT '5'",
            "null": "ADD COLUMN size varchar(9)",
        }
        self.logged.execute(f"ALTER TABLE orders {clauses[what]}")

    @contextmanager
    def log(self) -> Iterator[Any]:
        with self.logged.log() as log:
            yield log.change_log, log.database


class Binlog(Postgres):
    """Tables of MariaDB or MySQL."""

    identity = ("id", "note")
    numbered, truncated = False, 1
    rename = "CHANGE note memo varchar(9)"
    put = "ON DUPLICATE KEY UPDATE note = VALUES(note)"

    @property
    def schema(self):
        return self.logged.legacy.url.database


@pytest.fixture(params=("memory", *of("postgresql"), *BINLOGGED))
def legacy(request, tmp_path):
    table = "CREATE TABLE orders (id integer PRIMARY KEY, note varchar(9))"
    if request.param == "memory":
        yield Memory(tmp_path)
    elif request.param in BINLOGGED:
        with binlogged_database(request, request.param, table) as logged:
            yield Binlog(logged)
    else:
        with logged_database(request, request.param, table) as logged:
            yield Postgres(logged)


@pytest.fixture
def log(legacy):
    """The log, begun, with its table and the position where it begins."""
    with legacy.log() as (change_log, database):
        [name] = change_log.tables([f"{legacy.schema}.orders"])
        written = ".".join(map(database.quoted, name))
        table = LogTable(name, database.reflect(written, None), ("id",), written)
        change_log.check([table])
        change_log.guard(None, None)
        begin = change_log.begin([table])
        with contextlib.closing(change_log):
            yield change_log, database, table, begin


def put(number, note="x", replaced=None):
    return "put", (number, note), None if replaced is None else (replaced,)


def delete(number):
    return "delete", (number,), None


def rows(chunks):
    """Each change: its op, values and number."""
    found = []
    for chunk in chunks:
        for part in chunk.parts:
            if isinstance(part, LogRows):
                width = len(part.form.columns)
                found += [(op, *row[:width], row[width + 1]) for op, row in zip(part.ops, part.rows, strict=True)]
    return found


def test_tables_are_named_by_patterns(legacy, log):
    change_log, *_ = log
    assert change_log.tables([f"{legacy.schema}.*"]) == [TableName(legacy.schema, "orders")]


def test_changes_come_in_commit_order_with_their_numbers(legacy, log):
    change_log, _, table, begin = log
    legacy.commit(put(1), put(2, "two"))
    legacy.commit(put(1, "one"), delete(2), put(3, "x", 1))
    chunks = list(change_log.read(begin, change_log.end(), 100))
    assert rows(chunks) == [
        ("c", "1", "x", 1),
        ("c", "2", "two", 2),
        ("u", "1", "one", 1),
        ("d", "2", "two" if "note" in legacy.identity else ABSENT, 2),
        ("d", "1", "one" if "note" in legacy.identity else ABSENT, 3),
        ("c", "3", "x", 4),
    ]
    assert [one.final for one in chunks] == [False] * (len(chunks) - 1) + [True]
    assert sum(one.committed for one in chunks) == 2
    assert len({one for chunk in chunks for one in chunk.transactions}) == 2 * legacy.numbered
    names = {row[-4] for chunk in chunks for part in chunk.parts for row in part.rows}
    assert len(names) == 2
    form = next(part.form for chunk in chunks for part in chunk.parts)
    assert (form.table, form.identity, len(form.numbers)) == (table.name, legacy.identity, 2)


def test_a_transaction_is_cut_and_read_on_behind_each_change(legacy, log):
    change_log, _, _, begin = log
    legacy.commit(*(put(number) for number in range(5)))
    legacy.commit(put(9))
    end = change_log.end()
    whole = rows(change_log.read(begin, end, 100))
    first = next(iter(change_log.read(begin, end, 2)))
    assert len(rows([first])) == 2
    assert first.end.changes == 2
    assert rows(change_log.read(first.end, end, 100)) == whole[2:]
    assert rows(change_log.read(LogPosition(first.end.place, 4), end, 100)) == whole[4:]


def test_what_commits_behind_the_target_is_not_read(legacy, log):
    change_log, _, _, begin = log
    legacy.commit(put(1))
    end = change_log.end()
    legacy.commit(put(2))
    *_, last = chunks = list(change_log.read(begin, end, 100))
    assert len(rows(chunks)) == 1
    assert change_log.compare(last.end.place, end) >= 0
    assert len(rows(change_log.read(last.end, change_log.end(), 100))) == 1


def test_a_truncation_is_a_chunk_of_its_own(legacy, log):
    change_log, _, table, begin = log
    legacy.commit(put(1), ("truncate", (), None), put(2))
    chunks = list(change_log.read(begin, change_log.end(), 100))
    kinds = [[*map(type, one.parts)] for one in chunks if one.parts]
    assert kinds == [[LogRows], [LogTruncate], [LogRows]]
    truncated = chunks[1].parts[0]
    assert (truncated.form.table, truncated.partial, truncated.hidden[1]) == (table.name, False, legacy.truncated)


def test_a_snapshot_holds_what_the_log_has_up_to_its_place(legacy, log):
    change_log, database, table, begin = log
    legacy.commit(put(1), put(2))
    with change_log.snapshot([table]) as taken:
        legacy.commit(put(3))
        chunks = list(change_log.read(begin, taken.place, 100))
        query = sa.select(sa.column("id")).select_from(table.reflection.selectable)
        assert sorted(int(one) for (one,) in database.read(query)) == [1, 2]
        assert [one[1] for one in rows(chunks)] == ["1", "2"]
        assert not taken.unseen([one for chunk in chunks for one in chunk.transactions])
        later = list(change_log.read(chunks[-1].end, change_log.end(), 100))
        assert taken.unseen(found := [one for chunk in later for one in chunk.transactions]) == tuple(found)
        assert change_log.unseen(found) == ()


def test_the_database_says_which_keys_lie_beyond_another(log):
    change_log, _, table, _ = log
    keys = [("9",), ("10",), ("11",), ("100",)]
    assert change_log.beyond(table, ("10",), keys) == [False, False, True, True]


def test_what_was_acknowledged_is_confirmed_and_the_rest_is_read(legacy, log):
    change_log, _, _, begin = log
    legacy.commit(put(1))
    *_, last = change_log.read(begin, change_log.end(), 100)
    for place in (last.end.place, begin.place, last.end.place):
        change_log.acknowledge(place)
    legacy.commit(put(2))
    assert len(rows(change_log.read(last.end, change_log.end(), 100))) == 1


def test_a_column_keeps_its_number_when_it_is_renamed(legacy, log):
    change_log, _, table, begin = log
    legacy.commit(put(1))
    before = change_log.columns(table.name)["note"].number
    legacy.alter("rename")
    legacy.commit(("insert", (2, "x"), None))
    forms = [part.form for chunk in change_log.read(begin, change_log.end(), 100) for part in chunk.parts]
    assert change_log.columns(table.name)["memo"].number == before
    assert [(one.columns[1].name, one.numbers[1]) for one in forms] == [("note", before), ("memo", before)]


@pytest.mark.parametrize(("what", "filled"), [("default", True), ("null", False)])
def test_a_column_says_whether_it_came_with_values(legacy, log, what, filled):
    change_log, _, table, _ = log
    legacy.commit(put(1))
    legacy.alter(what)
    assert change_log.columns(table.name)["size"].filled is filled
    assert not change_log.columns(table.name)["note"].filled
    assert change_log.omitted(table.name) == frozenset()
