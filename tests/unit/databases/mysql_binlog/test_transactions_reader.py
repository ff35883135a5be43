"""Changes of committed transactions: what goes out, how it is numbered, and where positions lie."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import LogGap, LogPosition, LogTruncate, TableName
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.model import Effect
from tests.support.scripted_binlog import (
    MARIADB,
    MYSQL,
    ScriptedDump,
    ScriptedForms,
    ScriptedLog,
    gtid_name,
)
from tests.support.scripted_reading import changes_of, chunks_of, reader_of

FAMILIES = pytest.mark.parametrize("family", [MARIADB, MYSQL])
ORDERS = TableName("shop", "orders")


@FAMILIES
def test_rows_of_committed_transactions_come_in_order(family: str) -> None:
    log = ScriptedLog(family)
    log.begin()
    log.rows("orders", "c", [(1, 10), (2, 20)])
    log.rows("other", "c", [(9, 9)])
    log.rows("orders", "u", [(1, 10), (1, 11)])
    log.commit()
    log.begin()
    log.rows("orders", "d", [(2, 20)])
    log.commit()
    chunks = chunks_of(log)
    one, two = gtid_name(family, 1), gtid_name(family, 2)
    assert changes_of(chunks) == [
        ("c", "1", "10", one, 1),
        ("c", "2", "20", one, 2),
        ("u", "1", "11", one, 3),
        ("d", "2", "20", two, 1),
    ]
    assert chunks[-1].final
    assert chunks[-1].end == LogPosition(log.end)
    assert chunks[-1].committed == 2
    assert chunks[-1].facts["gtids"] in {two, f"{one}-2"}
    noted = chunks[-1].notes.transactions[one]
    assert (noted.gtid, noted.changes, noted.number, [each.number for each in noted.events]) == (one, 3, 101, [1, 3])


@FAMILIES
def test_rolled_back_rows_are_left_out(family: str) -> None:
    log = ScriptedLog(family)
    log.begin()
    log.rows("orders", "c", [(1, 1)])
    log.rollback()
    log.begin()
    log.rows("orders", "c", [(2, 2)])
    log.query("SAVEPOINT `a``b`")
    log.rows("orders", "c", [(3, 3)])
    log.query("SAVEPOINT c")
    log.rows("orders", "c", [(4, 4)])
    log.query('ROLLBACK TO "C"')
    log.rows("orders", "c", [(5, 5)])
    log.query("ROLLBACK TO `A``B`")
    log.rows("orders", "c", [(6, 6)])
    log.commit()
    name = gtid_name(family, 2)
    assert changes_of(chunks_of(log)) == [("c", "2", "2", name, 1), ("c", "6", "6", name, 2)]


@FAMILIES
def test_a_savepoint_that_is_not_in_the_log_is_an_error_with_its_place(family: str) -> None:
    log = ScriptedLog(family)
    log.begin()
    place = log.end
    log.query("ROLLBACK TO `a`")
    log.commit()
    with pytest.raises(SourceError, match=f"can't be read at {place}: a part of the transaction is rolled back"):
        chunks_of(log)


@FAMILIES
def test_a_large_transaction_is_read_again_and_not_kept(family: str) -> None:
    log = ScriptedLog(family)
    log.begin()
    log.rows("orders", "c", [(1, 1)])
    log.query("SAVEPOINT a")
    log.rows("orders", "c", [(2, 2)])
    log.query("ROLLBACK TO a")
    log.rows("orders", "c", [(3, 3)])
    log.commit()
    begun = ScriptedDump.begun
    chunks = chunks_of(log, most_bytes=10)
    assert [row[1] for row in changes_of(chunks)] == ["1", "3"]
    assert ScriptedDump.begun == begun + 2


@FAMILIES
def test_an_update_of_the_key_is_a_delete_and_an_insert_that_name_each_other(family: str) -> None:
    log = ScriptedLog(family)
    log.begin()
    log.rows("orders", "u", [(1, 1), (1, 2), (2, 2), (3, 2), (4, 4), (4, 5)])
    log.commit()
    name = gtid_name(family, 1)
    whole = chunks_of(log, before=True)
    assert [row[:3] for row in changes_of(whole)] == [
        ("u", "1", "2"),
        ("d", "2", "2"),
        ("c", "3", "2"),
        ("u", "4", "5"),
    ]
    [part] = whole[0].parts
    assert part.before == [("1", "1"), ("2", "2"), None, ("4", "4")]
    assert whole[0].notes.moved == {(name, 2): ("3", "2"), (name, 3): ("2", "2")}
    *cut, last = chunks_of(log, rows=2)
    assert (last.parts, last.final) == ([], True)
    assert [chunk.end.changes for chunk in cut] == [2, 0]
    assert [dict(chunk.notes.moved) for chunk in cut] == [{(name, 2): ("3", "2")}, {(name, 3): ("2", "2")}]
    assert changes_of(cut) == changes_of(whole)


def test_notes_describe_each_part_of_a_transaction() -> None:
    log = ScriptedLog(MYSQL)
    log.begin()
    first = log.end
    log.rows("orders", "c", [(1, 1), (2, 2), (3, 3)])
    log.rows("orders", "c", [(4, 4)])
    log.commit()
    chunks = chunks_of(log, rows=2)
    noted = [chunk.notes.transactions[gtid_name(MYSQL, 1)] for chunk in chunks[:2]]
    assert [one.changes for one in noted] == [None, 4]
    assert [[each.number for each in one.events] for one in noted] == [[1], [1, 4]]
    assert [one.thread for one in noted] == [7, 7]
    assert noted[0].events[0].place > first
    assert noted[1].end == log.end
    assert [chunk.committed for chunk in chunks] == [0, 1, 0]
    assert sum(chunk.bytes for chunk in chunks) == log.at - 4


def test_times_have_the_digits_that_the_log_has() -> None:
    times = []
    for family in (MARIADB, MYSQL):
        log = ScriptedLog(family)
        log.begin()
        log.rows("orders", "c", [(1, 1)])
        log.commit()
        times.append(chunks_of(log)[0].parts[0].rows[0][4])
    assert times == ["2026-09-21 14:13:20+00", "2026-09-21 14:13:20.000001+00"]


@FAMILIES
def test_statements_become_what_the_tables_forms_say(family: str) -> None:
    log = ScriptedLog(family)
    items = TableName("shop", "items")
    effects = {
        "TRUNCATE orders": [Effect(ORDERS, "truncate")],
        "ALTER TABLE orders DROP PARTITION p": [Effect(ORDERS, "truncate", partial=True)],
        "DROP TABLE orders, items": [Effect(ORDERS, "gap", "it was dropped", removed=True), Effect(items, "altered")],
        "DELETE FROM items": [Effect(items, "lost", "a DELETE is in the log as a statement")],
    }
    for statement in effects:
        log.statement(statement)
    chunks = chunks_of(log, reader_of(log, ScriptedForms(["orders", "items"], effects)))
    parts = [part for chunk in chunks for part in chunk.parts]
    name = [gtid_name(family, number) for number in range(1, 5)]
    assert [(part.form.table, part.partial, part.hidden[:2]) for part in parts if isinstance(part, LogTruncate)] == [
        (ORDERS, False, (name[0], 1)),
        (ORDERS, True, (name[1], 1)),
    ]
    assert [(part.table, part.hidden[:2], part.lost, part.removed) for part in parts if isinstance(part, LogGap)] == [
        (ORDERS, (name[2], 1), False, True),
        (items, (name[3], 1), True, True),
    ]
    assert all(len(chunk.parts) <= 1 for chunk in chunks)


def test_statements_of_a_rolled_back_transaction_are_reported_since_they_are_logged_for_what_stayed() -> None:
    log = ScriptedLog(MARIADB)
    log.begin()
    log.query("INSERT INTO orders SELECT 1")
    log.rollback()
    effects = {"INSERT INTO orders SELECT 1": [Effect(ORDERS, "lost", "a statement")]}
    [gap, _] = chunks_of(log, reader_of(log, ScriptedForms(["orders"], effects)))
    assert isinstance(gap.parts[0], LogGap)


def test_of_an_alter_in_two_parts_the_second_one_counts() -> None:
    log = ScriptedLog(MARIADB)
    forms = ScriptedForms(["orders"])
    for flag in ("start", "rollback", "start", "commit"):
        log.two_phase(flag, "ALTER TABLE orders ADD x INT")
    chunks_of(log, reader_of(log, forms))
    assert forms.seen == ["ALTER TABLE orders ADD x INT"]


@FAMILIES
def test_rows_that_can_not_be_reported_are_lost_changes_between_the_others(family: str) -> None:
    log = ScriptedLog(family)
    log.begin()
    log.rows("orders", "c", [(1, 1)])
    log.rows("orders", "u", [(1, 1), (1, 2)], whole=False)
    log.rows("orders", "c", [(2, 2)])
    log.commit()
    chunks = chunks_of(log)
    assert changes_of(chunks) == [
        ("c", "1", "1", gtid_name(family, 1), 1),
        ("c", "2", "2", gtid_name(family, 1), 3),
    ]
    [gap] = [part for chunk in chunks for part in chunk.parts if isinstance(part, LogGap)]
    assert (gap.lost, gap.removed, gap.hidden[1]) == (True, True, 2)
    assert "SET GLOBAL binlog_row_image = 'FULL'" in gap.why


def test_a_row_above_the_limit_is_lost_and_its_neighbours_are_not() -> None:
    log = ScriptedLog(MYSQL)
    log.begin()
    log.rows("orders", "c", [(1, 1), (2_000_000_000, 2_000_000_000), (3, 3)])
    log.commit()
    chunks = chunks_of(log, max_row_bytes=15)
    assert [row[1] for row in changes_of(chunks)] == ["1", "3"]
    [gap] = [part for chunk in chunks for part in chunk.parts if isinstance(part, LogGap)]
    assert "20 bytes in the log, more than max_row_bytes=15" in gap.why
    assert "2000000000" not in gap.why


def test_a_key_that_is_null_is_lost() -> None:
    log = ScriptedLog(MYSQL)
    log.begin()
    log.rows("orders", "c", [(1, 1), (2, None)])
    log.commit()
    chunks = chunks_of(log, reader_of(log, ScriptedForms(["orders"], key=1)))
    assert [row[1] for row in changes_of(chunks)] == ["1"]
    assert [part.why for chunk in chunks for part in chunk.parts if isinstance(part, LogGap)] == ["its key is NULL"]


def test_the_history_of_system_versioned_rows_is_no_change() -> None:
    log = ScriptedLog(MARIADB)
    now, past = 1, 0
    log.begin()
    log.rows("orders", "c", [(1, 1, now)])
    log.rows("orders", "u", [(1, 1, now), (1, 2, now)])
    log.rows("orders", "c", [(1, 1, past)])
    log.rows("orders", "u", [(1, 2, now), (1, 2, past)])
    log.rows("orders", "d", [(1, 1, past)])
    log.commit()
    assert [row[:3] for row in changes_of(chunks_of(log))] == [("c", "1", "1"), ("u", "1", "2"), ("d", "1", "2")]
    assert all(len(row) == 6 for part in chunks_of(log)[0].parts for row in part.rows)


def test_an_incident_may_concern_every_table() -> None:
    log = ScriptedLog(MYSQL)
    log.gtid()
    log.add(codes.INCIDENT, b"\1\0\0")
    chunks = chunks_of(log, reader_of(log, ScriptedForms(["orders", "items"])))
    gaps = [part for chunk in chunks for part in chunk.parts]
    assert [(gap.table.name, gap.lost, gap.removed) for gap in gaps] == [("items", True, True), ("orders", True, True)]


@pytest.mark.parametrize("gtids", [True, False])
def test_rows_behind_the_delete_of_a_memory_table_need_no_transaction(gtids: bool) -> None:
    log = ScriptedLog(MYSQL, gtids=gtids)
    log.statement("DELETE FROM orders")
    place = log.end
    log.rows("orders", "c", [(1, 1), (2, 2)])
    log.begin()
    log.rows("orders", "c", [(3, 3)])
    log.commit()
    forms = ScriptedForms(["orders"], {"DELETE FROM orders": [Effect(ORDERS, "truncate")]})
    chunks = chunks_of(log, reader_of(log, forms), rows=1)
    assert [type(part).__name__ for chunk in chunks for part in chunk.parts] == ["LogTruncate", *3 * ["LogRows"]]
    assert changes_of(chunks)[:2] == [("c", "1", "1", place, 1), ("c", "2", "2", place, 2)]
    again = [row[1] for row in changes_of(chunks_of(log, after=LogPosition(place, 1)))]
    assert again == ["2", "3"]


@FAMILIES
def test_rows_outside_of_a_transaction_are_damage_elsewhere(family: str) -> None:
    log = ScriptedLog(family)
    log.begin()
    log.commit()
    log.rows("orders", "c", [(1, 1)])
    with pytest.raises(SourceError, match="stands where none has begun"):
        chunks_of(log)
