"""Reading on: XA transactions, transactions that were sent in part, other servers, and files that end too early."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import LogPosition, TableName
from tests.support.scripted_binlog import MARIADB, MYSQL, SERVER, ScriptedDump, ScriptedForms, ScriptedLog, gtid_name
from tests.support.scripted_reading import START, changes_of, chunks_of, reader_of

FAMILIES = pytest.mark.parametrize("family", [MARIADB, MYSQL])
ORDERS = TableName("shop", "orders")


def prepared(log: ScriptedLog, xid: bytes, number: int) -> None:
    log.begin_xa(xid)
    log.rows("orders", "c", [(number, number), (number + 1, number)])
    log.prepare_xa(xid)


@FAMILIES
def test_xa_transactions_are_delivered_where_they_are_committed(family: str) -> None:
    log = ScriptedLog(family)
    prepared(log, b"a", 10)
    prepared(log, b"b", 20)
    first = chunks_of(log)
    facts, end = first[-1].facts, first[-1].end
    assert changes_of(first) == []
    assert [*facts["prepared"]] == ["X'61',X'',1", "X'62',X'',1"]
    log.rotate()
    log.end_xa(b"b", "ROLLBACK")
    place = log.end
    log.end_xa(b"a", "COMMIT")
    [one, two, last] = chunks_of(log, after=end, stored=facts, rows=1)
    name = gtid_name(family, 4)
    assert changes_of([one, two]) == [("c", "10", "10", name, 1), ("c", "11", "10", name, 2)]
    assert one.end == LogPosition(place, 1)
    assert [*one.facts["prepared"]] == ["X'61',X'',1"]
    assert last.facts["prepared"] == {}
    assert changes_of(chunks_of(log, after=one.end, stored=one.facts)) == [("c", "11", "10", name, 2)]


@FAMILIES
def test_an_xa_transaction_in_one_phase_commits_at_once(family: str) -> None:
    log = ScriptedLog(family)
    log.begin_xa(b"a")
    log.rows("orders", "c", [(1, 1)])
    log.prepare_xa(b"a", one_phase=True)
    chunks = chunks_of(log)
    assert [row[1] for row in changes_of(chunks)] == ["1"]
    assert chunks[-1].facts["prepared"] == {}


@FAMILIES
@pytest.mark.parametrize("stored", [{}, {"X'61',X'',1": "binlog.000001:4-200"}])
def test_an_xa_commit_without_its_rows_may_concern_every_table(family: str, stored: dict[str, str]) -> None:
    log = ScriptedLog(family)
    log.rotate()
    start = LogPosition(log.end)
    log.end_xa(b"a", "COMMIT")
    log.purge("binlog.000001")
    chunks = chunks_of(log, after=start, stored={"gtids": "", "prepared": stored})
    [gap] = [part for chunk in chunks for part in chunk.parts]
    assert (gap.lost, gap.removed, gap.table) == (True, True, ORDERS)
    assert ("purged" if stored else "in no part of the log that was read") in gap.why


@FAMILIES
def test_an_xa_transaction_of_other_tables_is_not_read_again(family: str) -> None:
    log = ScriptedLog(family)
    log.begin_xa(b"a")
    log.rows("other", "c", [(1, 1)])
    log.prepare_xa(b"a")
    log.end_xa(b"a", "COMMIT")
    begun = ScriptedDump.begun
    assert changes_of(chunks_of(log)) == []
    assert ScriptedDump.begun == begun + 1


@FAMILIES
def test_a_table_that_joined_is_left_out_of_a_transaction_that_was_sent_in_part(family: str) -> None:
    log = ScriptedLog(family)
    log.begin()
    log.rows("orders", "c", [(1, 1), (2, 2)])
    log.rows("items", "c", [(3, 3)])
    log.rows("orders", "c", [(4, 4)])
    log.commit()
    log.begin()
    log.rows("items", "c", [(5, 5)])
    log.commit()
    one = next(iter(reader_of(log).read(START, log.end, 1)))
    both = reader_of(log, ScriptedForms(["items", "orders"]), stored=one.facts)
    assert changes_of(chunks_of(log, both, after=one.end)) == [
        ("c", "2", "2", gtid_name(family, 1), 2),
        ("c", "4", "4", gtid_name(family, 1), 3),
        ("c", "5", "5", gtid_name(family, 2), 1),
    ]


@FAMILIES
def test_a_transaction_is_sent_again_if_a_table_of_its_sent_part_left(
    family: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = ScriptedLog(family)
    log.begin()
    log.rows("items", "c", [(1, 1)])
    log.rows("orders", "c", [(2, 2)])
    log.commit()
    both = reader_of(log, ScriptedForms(["items", "orders"]))
    one = next(iter(both.read(START, log.end, 1)))
    changes = changes_of(chunks_of(log, after=one.end, stored=one.facts))
    assert changes == [("c", "2", "2", gtid_name(family, 1), 1)]
    assert "a table has left the stream" in caplog.text


@FAMILIES
def test_another_server_passes_over_what_was_read(family: str) -> None:
    log = ScriptedLog(family)
    places = []
    for number in (1, 2, 3, 4):
        places.append(log.end)
        log.begin()
        log.rows("orders", "c", [(number, number), (number + 10, number)])
        log.commit()
    read = "0-1-2" if family == MARIADB else f"{SERVER}:1-2"
    tables = [["shop", "orders"]]
    stored = {
        "gtids": read,
        "passing": {"gtids": read, "until": log.end},
        "counted": {"name": gtid_name(family, 3), "tables": tables},
    }
    log.rotate()
    chunks = chunks_of(log, after=LogPosition("binlog.000001:4", 1), stored=stored, rows=2)
    assert [row[1] for row in changes_of(chunks)] == ["13", "4", "14"]
    assert chunks[-1].facts["gtids"] in {"0-1-4", f"{SERVER}:1-4"}
    log.begin()
    log.rows("orders", "c", [(5, 5)])
    log.commit()
    later = chunks_of(log, after=chunks[-1].end, stored=chunks[-1].facts)
    assert [row[1] for row in changes_of(later)] == ["5"]
    assert later[-1].facts["passing"] is None


def test_a_position_inside_of_another_transaction_is_an_error() -> None:
    log = ScriptedLog(MYSQL)
    log.begin()
    log.rows("orders", "c", [(1, 1)])
    log.commit()
    with pytest.raises(SourceError, match="is not the one that was read before"):
        chunks_of(log, after=LogPosition("binlog.000001:4", 1))


def test_a_log_that_ends_before_its_target_is_an_error_that_a_retry_may_help() -> None:
    log = ScriptedLog(MYSQL)
    with pytest.raises(SourceError, match=r"^run again: the binlog of connection 'legacy' ended at") as raised:
        list(reader_of(log).read(START, "binlog.000009:4", 10))
    assert raised.value.retry_helps


def test_a_closed_reader_reads_no_more() -> None:
    log = ScriptedLog(MYSQL)
    log.begin()
    log.rows("orders", "c", [(1, 1), (2, 2)])
    log.commit()
    reader = reader_of(log, most_bytes=0)
    chunks = reader.read(START, log.end, 1)
    next(chunks)
    reader.close()
    with pytest.raises(SourceError, match="was closed by its run"):
        list(reader.read(START, log.end, 1))


def torn(family: str, *, between: bool, lists: bool) -> ScriptedLog:
    """A log whose first file ends inside of its second transaction; the next file may list that one as executed."""
    log = ScriptedLog(family)
    log.begin()
    log.rows("orders", "c", [(1, 1)])
    log.commit()
    log.begin()
    log.rows("orders", "c", [(2, 2)])
    if not between:
        log.torn.add(log.file)
    if lists:
        log.executed = log.number
    else:
        log.number -= 1
    log.begin_file("binlog.000002")
    log.begin()
    log.rows("orders", "c", [(3, 3)])
    log.commit()
    return log


@FAMILIES
@pytest.mark.parametrize("between", [True, False], ids=["between events", "inside of one"])
def test_a_transaction_that_no_later_file_lists_is_left_out_with_one_warning(
    family: str, between: bool, caplog: pytest.LogCaptureFixture
) -> None:
    log = torn(family, between=between, lists=False)
    chunks = chunks_of(log)
    name = gtid_name(family, 2)
    assert changes_of(chunks) == [("c", "1", "1", gtid_name(family, 1), 1), ("c", "3", "3", name, 1)]
    assert [one.message.count("never committed") for one in caplog.records] == [1]
    assert chunks_of(log, after=chunks[-1].end, stored=chunks[-1].facts)[-1].final


@FAMILIES
@pytest.mark.parametrize("between", [True, False], ids=["between events", "inside of one"])
def test_a_torn_transaction_that_a_later_file_lists_is_damage(family: str, between: bool) -> None:
    with pytest.raises(SourceError, match="damaged") as raised:
        chunks_of(torn(family, between=between, lists=True))
    assert not raised.value.retry_helps


@pytest.mark.parametrize(("known", "passes"), [("", False), ("0-1-1", True), (None, False)])
def test_a_file_that_ends_inside_of_the_first_event_is_judged_by_what_was_read(known: str | None, passes: bool) -> None:
    log = ScriptedLog(MARIADB)
    log.number = log.executed = 1
    start = LogPosition(log.end)
    log.torn.add(log.file)
    log.begin_file("binlog.000002")
    log.begin()
    log.rows("orders", "c", [(3, 3)])
    log.commit()
    stored = {} if known is None else {"gtids": known}
    if passes:
        assert [row[1] for row in changes_of(chunks_of(log, after=start, stored=stored))] == ["3"]
        return
    with pytest.raises(SourceError, match="damaged"):
        chunks_of(log, after=start, stored=stored)


def test_a_torn_transaction_without_a_gtid_is_damage() -> None:
    log = ScriptedLog(MYSQL, gtids=False)
    log.begin()
    log.rows("orders", "c", [(2, 2)])
    log.begin_file("binlog.000002")
    with pytest.raises(SourceError, match="damaged"):
        chunks_of(log, stored={})


def test_positions_beyond_32_bits_and_files_beyond_999999() -> None:
    log = ScriptedLog(MARIADB)
    log.at = 2**32 - 10
    log.begin()
    log.rows("orders", "c", [(1, 1), (2, 2)])
    log.commit()
    log.begin_file("binlog.999999")
    log.files["binlog.000002"] = log.files["binlog.999999"]
    start = LogPosition("binlog.999999:4")
    log.begin()
    log.rows("orders", "c", [(3, 3)])
    log.commit()
    log.rotate()
    assert log.file == "binlog.1000000"
    log.begin()
    log.rows("orders", "c", [(4, 4)])
    log.commit()
    assert [row[1] for row in changes_of(chunks_of(log, after=start))] == ["3", "4"]
    first = next(iter(reader_of(log).read(START, "binlog.000002:4", 1)))
    assert first.end == LogPosition(f"binlog.000001:{2**32 - 10}", 1)


@FAMILIES
@pytest.mark.parametrize(("most_bytes", "sessions"), [(2**24, 1), (100, 2), (0, 5)])
def test_what_is_committed_soon_is_read_again_only_if_it_is_too_large(
    family: str, most_bytes: int, sessions: int
) -> None:
    log = ScriptedLog(family)
    prepared(log, b"a", 10)
    prepared(log, b"b", 20)
    log.end_xa(b"a", "COMMIT")
    log.end_xa(b"b", "COMMIT")
    begun = ScriptedDump.begun
    assert [row[1] for row in changes_of(chunks_of(log, most_bytes=most_bytes))] == ["10", "11", "20", "21"]
    assert ScriptedDump.begun == begun + sessions


def test_a_name_of_an_xa_transaction_may_be_used_again() -> None:
    log = ScriptedLog(MYSQL)
    log.begin_xa(b"a")
    log.rows("other", "c", [(1, 1)])
    log.prepare_xa(b"a")
    log.end_xa(b"a", "ROLLBACK")
    prepared(log, b"a", 10)
    log.end_xa(b"a", "ROLLBACK")
    prepared(log, b"a", 20)
    log.end_xa(b"a", "COMMIT")
    assert [row[1] for row in changes_of(chunks_of(log))] == ["20", "21"]
