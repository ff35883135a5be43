"""How far servers of MySQL and MariaDB are, and whether one is behind."""

import pytest

from airflow_legacy_events.databases.mysql.positions import MariadbExecuted, MysqlExecuted, gtids_in

A, B = "e9545a70-ec2a-11f1-9300-02fc00000001", "eab41fa1-ec2a-11f1-9188-02fc00000001"


def test_the_last_transaction_of_each_source_of_mysql_is_kept():
    executed = MysqlExecuted(f"{A}:1-100:105-110:nightly:1-3:7,\n{B.upper()}:5")
    assert executed.last() == [f"{A}:110", f"{A}:nightly:7", f"{B}:5"]
    assert executed.missing(executed.last()) == []


@pytest.mark.parametrize("gtid", [f"{A}:101", f"{A}:111", f"{A}:nightly:4", f"{A}:weekly:1", "0" + B[1:] + ":1"])
def test_a_transaction_of_mysql_that_is_not_in_the_set_is_missing(gtid):
    assert MysqlExecuted(f"{A}:1-100:105-110:nightly:1-3:7,{B}:5").missing([f"{A}:1", gtid]) == [gtid]


def test_a_position_of_many_sources_stays_small():
    text = ",".join(f"{number:08x}{A[8:]}:1-{number + 1}" for number in range(1_000))
    kept = MysqlExecuted(text).last()
    assert len(kept) == 100
    assert f"{999:08x}{A[8:]}:1000" in kept


@pytest.mark.parametrize("gtids", [["0-1-100"], [f"{A}"], ["", "x:1", f"{A}:1; DROP TABLE t"]])
def test_what_is_no_position_of_the_server_is_not_compared(gtids):
    assert MysqlExecuted(f"{B}:5").missing(gtids) == []
    assert MariadbExecuted("1-1-1", "").missing(gtids) == []


@pytest.mark.parametrize(
    ("current", "state", "behind"),
    [
        ("0-1-100", "0-1-100", False),
        ("0-1-99", "0-1-99", True),
        ("0-2-101", "0-1-100,0-2-101", False),
        ("0-2-250", "0-1-95,0-2-250", True),  # promoted where it had 95, and ahead by its own numbers
        ("0-2-250", "0-2-250", False),  # made of a copy, with a log of its own
        ("0-9-50", "0-1-100,0-9-50", False),  # its number was changed since
        ("0-1-130", "0-1-90", False),  # a replica that does not log what it replicates
        ("1-1-5", "1-1-5", False),  # another domain, or numbered anew
        ("", "", False),
        ("7-9-1,0-1-99", "", True),
    ],
)
def test_a_server_of_mariadb_is_behind_where_it_lacks_the_transaction(current, state, behind):
    assert MariadbExecuted(current, state).missing(["0-1-100"]) == (["0-1-100"] if behind else [])


def test_the_last_transaction_of_each_domain_of_mariadb_is_kept():
    assert MariadbExecuted("1-2-7,0-1-100", "0-1-95").last() == ["0-1-100", "1-2-7"]


@pytest.mark.parametrize("position", [{}, {"gtids": None}, {"gtids": "0-1-1"}, {"gtids": [5, None]}, {"lsn": 1}])
def test_a_position_that_a_person_edited_is_not_compared(position):
    assert gtids_in(position) == []
