"""Keys on both sides of one that a snapshot has reached: the server's own order, for each type and collation."""

from __future__ import annotations

import MySQLdb
import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.model import TableName
from airflow_legacy_events.core.ports import LogTable
from tests.support.binlogs import BINLOGGED, binlogged_database

TEXTS = ("a", "B", "ä", "ß", "ss", "z'\\%s", "", "a ", "😀")
KEYS = {
    "varchar(40) CHARACTER SET latin1": ("a", "B", "ä", "z", " ", "€", "a\tb"),
    "varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci": TEXTS,
    "varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin": TEXTS,
    "char(5) CHARACTER SET sjis": ("a", "カ", "日本"),
    "int": ("1", "-5", "10", "2147483647"),
    "bigint unsigned": ("18446744073709551615", "9", "10", "18446744073709551614"),
    "decimal(30,10)": ("1.1", "-2", "12345678901234567890.1234567891", "12345678901234567890.1234567890"),
    "double": ("1e300", "-0.1", "5e-324", "3"),
    "float": ("0.1", "3.4e38", "-7", "0.30000001"),
    "date": ("0000-00-00", "2026-01-01", "1000-01-01"),
    "datetime(6)": ("0000-00-00 00:00:00", "2026-01-01 10:00:00.000001", "2026-01-01 10:00:00"),
    "timestamp(3)": ("2026-01-01 10:00:00.1", "2000-01-01"),
    "time(3)": ("-838:59:59", "838:59:59", "-00:00:00.001", "09:00:00", "100:00:00"),
    "year": ("1901", "2155"),
    "varbinary(20)": (b"\x00a", b"a", b"a\x00", b"\xff", b""),
    "binary(4)": (b"a", b"a\x01", b"\xff\xff"),
    "bit(12)": (5, 1023, 2),
    "uuid": (
        *("00000000-0000-0000-0000-000000000002", "a0000000-0000-1000-8000-000000000001"),
        *("00000000-ffff-1000-8000-0000000000ff", "0fffffff-0000-1000-8000-000000000001"),
    ),
    "inet6": ("::1", "::ffff:1.2.3.4", "fe80::1"),
}
OF_MARIADB = ("uuid", "inet6")


@pytest.fixture(params=BINLOGGED)
def logged(request):
    with binlogged_database(request, request.param) as found:
        found.execute("SET SESSION sql_mode = ''")
        yield found


def keyed(logged, type_, values):
    """A table with these values in its key, each twice, as the log knows it."""
    logged.execute(f"CREATE TABLE k (k {type_} NOT NULL, j int NOT NULL, PRIMARY KEY (k, j))")
    for value in values:
        for number in (1, 2):
            try:
                logged.legacy.execute("INSERT INTO k VALUES (%s, %s)", value, number)
            except MySQLdb.IntegrityError:  # equal to another one in this collation
                assert isinstance(value, str)


@pytest.mark.parametrize("type_", KEYS)
def test_a_key_lies_beyond_another_one_as_the_server_orders_them(logged, type_):
    if type_ in OF_MARIADB and not logged.legacy.engine.name.startswith("mariadb"):
        return
    keyed(logged, type_, KEYS[type_])
    with logged.log() as log:
        found = log.database.reflect("k", None)
        columns = {column.name: column for column in found.columns}
        key = [sa.column(name) for name in ("k", "j")]
        query = sa.select(*key).select_from(found.selectable).order_by(*key)
        rows = log.database.read(query.execution_options(expected=found.columns))
        assert len(rows) >= 2 * 2
        table = LogTable(TableName(logged.legacy.url.database, "k"), found, ("k", "j"), "k")
        for at, row in enumerate(rows):
            reached = [log.database.text(value, columns[name]) for value, name in zip(row, ("k", "j"), strict=True)]
            beyond = log.change_log.beyond(table, reached, rows)
            assert beyond == [place > at for place in range(len(rows))], reached
        assert log.change_log.beyond(table, reached, []) == []


def test_many_long_keys_are_compared_without_exceeding_a_packet(logged):
    keyed(logged, "varchar(180) CHARACTER SET utf8mb4", ())
    with logged.log() as log:
        found = log.database.reflect("k", None)
        table = LogTable(TableName(logged.legacy.url.database, "k"), found, ("k", "j"), "k")
        keys = [(f"{number:05d}" + "ü" * 150, "1") for number in range(6000)]
        beyond = log.change_log.beyond(table, [keys[2999][0], "1"], keys)
    assert beyond == [number > 2999 for number in range(6000)]
