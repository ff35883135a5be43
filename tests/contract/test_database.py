"""What every database promises to the sources that read it."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import SourceError
from tests.support.engines import EACH, ENGINES
from tests.support.legacy import legacy_database

ENDLESS = {
    "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS n FROM n",
    "postgresql": "SELECT pg_sleep(600)::text AS n",
    "firebird": "SELECT count(*) AS n FROM rdb$types a, rdb$types b, rdb$types c, rdb$types d",
    "mysql": f"SELECT count(*) AS n FROM {', '.join(f'information_schema.collations AS c{at}' for at in range(6))}",
}


@pytest.fixture(params=EACH)
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute(f"CREATE TABLE t (id integer PRIMARY KEY, body {found.engine.long_text})")
        for number in range(1, 101):
            found.execute(f"INSERT INTO t VALUES ({number}, 'body {number}')")
        yield found


def select(*names: str, table: str = "t") -> sa.Select:
    return sa.select(*map(sa.column, names)).select_from(sa.table(table)).order_by(sa.column("id"))


def counted(database) -> int:
    return int(database.read(sa.select(sa.func.count()).select_from(sa.table("t")))[0][0])


def test_rows_are_tuples_in_the_order_of_the_query(database):
    rows = database.read(select("id", "body"))
    assert [(int(number), body) for number, body in rows] == [(number, f"body {number}") for number in range(1, 101)]


def test_the_session_refuses_to_write(legacy, database):
    counted(database)
    name = "pg_temp.t2" if legacy.dialect == "postgresql" else "t"
    write = sa.text(f"INSERT INTO {name} (id) VALUES (1000)")
    with pytest.raises(SourceError):
        database.read(write)
    assert legacy.execute("SELECT count(*) FROM t") == [(100,)]


def test_a_statement_ends_with_its_timeout(legacy):
    database = legacy.database(timeout=0.2)
    with pytest.raises(SourceError, match=r"connection 'crm' failed while reading: .*timeout"):
        database.read(sa.text(ENDLESS[legacy.dialect]))
    assert counted(database) == 100
    database.close()


def test_close_from_another_thread_ends_a_running_statement(legacy, database):
    counted(database)
    found = []

    def read() -> None:
        with pytest.raises(SourceError) as ended:
            database.read(sa.text(ENDLESS[legacy.dialect]))
        found.append(ended.value)

    reading = threading.Thread(target=read)
    reading.start()
    while not database._turn.locked():
        time.sleep(0.001)

    database.close()

    reading.join(10)
    assert len(found) == 1
    database.close()


def test_close_while_pages_are_read_ends_the_reading(database):
    begun, found = threading.Event(), []

    def read() -> None:
        while not found:
            try:
                counted(database)
                begun.set()
            except SourceError as ended:
                found.append(ended)

    reading = threading.Thread(target=read)
    reading.start()
    assert begun.wait(10)
    database.close()
    reading.join(10)
    assert len(found) == 1


def test_a_closed_database_opens_no_new_session(database):
    database.close()
    with pytest.raises(SourceError, match="connection 'crm' was closed by its run"):
        counted(database)


def test_a_snapshot_sees_one_state_while_others_write(legacy, database):
    with database.snapshot():
        legacy.execute("DELETE FROM t WHERE id = 1")
        assert counted(database) == 100
        legacy.execute("DELETE FROM t WHERE id = 2")
        assert counted(database) == 100
    assert counted(database) == 98


def test_each_read_outside_a_snapshot_sees_the_newest_state(legacy, database):
    assert counted(database) == 100
    legacy.execute("DELETE FROM t WHERE id = 1")
    assert counted(database) == 99


def test_an_error_inside_a_snapshot_leaves_a_session_that_reads(database):
    with pytest.raises(SourceError), database.snapshot():
        database.read(sa.text("SELECT nix FROM nowhere"))
    assert counted(database) == 100


@pytest.mark.parametrize("inside", [False, True], ids=["outside a snapshot", "inside a snapshot"])
def test_wide_rows_come_in_part_and_the_next_read_works(legacy, database, inside):
    legacy.execute(f"UPDATE t SET body = {legacy.engine.mark}", "x" * 50_000)
    if inside:
        with database.snapshot():
            _cut_and_go_on(database)
    else:
        _cut_and_go_on(database)


def _cut_and_go_on(database) -> None:
    for _ in range(3):
        rows = database.read(select("id", "body"), max_bytes=500_000)
        assert 10 <= len(rows) < 40
        assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    assert len(database.read(select("id", "body"), max_bytes=1)) >= 1
    assert counted(database) == 100


def test_a_read_may_be_begun_ahead_and_followed_by_it_or_by_anything_else(legacy, database):
    rows = database.read(select("id", "body"))
    database.prefetch(select("id", "body"))
    assert database.read(select("id", "body"), max_bytes=1_000_000) == rows
    database.prefetch(select("id", "body"))
    assert counted(database) == 100
    assert database.read(select("id", "body")) == rows
    database.prefetch(select("id"))
    database.prefetch(select("id", "body"))
    with database.snapshot():
        database.prefetch(select("id", "body"))
        legacy.execute("DELETE FROM t WHERE id = 1")
        assert database.read(select("id", "body"), max_bytes=1_000_000) == rows
    database.prefetch(select("id", "body"))


def test_a_read_that_was_begun_ahead_may_end_early_or_fail(database):
    for _ in range(3):
        database.prefetch(select("id", "body"))
        assert len(database.read(select("id", "body"), max_bytes=1)) >= 1
    wrong = sa.select(sa.column("nix")).select_from(sa.table("t"))
    database.prefetch(wrong)
    with pytest.raises(SourceError, match="connection 'crm' failed while reading"):
        database.read(wrong)
    assert counted(database) == 100


def test_the_identity_is_told_by_plain_texts_and_stays(legacy, database):
    again = legacy.database()
    assert database.identity() == again.identity()
    assert all(isinstance(text, str) and text for text in database.identity().values())
    again.close()


def test_a_connection_that_leads_nowhere_is_a_source_error(legacy, tmp_path):
    database = legacy.database(database="nix" if legacy.dialect == "postgresql" else str(tmp_path / "nix.db"))
    for ask in (database.identity, lambda: database.reflect("t", None), lambda: counted(database)):
        with pytest.raises(SourceError, match=r"connection 'crm' .*nix"):
            ask()
    assert not (tmp_path / "nix.db").exists()


_VALUES = {
    "integer": (Kind.INTEGER, ["-9223372036854775808", "0", "9223372036854775807"]),
    "numeric": (Kind.DECIMAL, ["-1.5", "0.25", "10"]),
    "double precision": (Kind.FLOAT, ["-1e+300", "0.1", "0.30000000000000004"]),
    "text": (Kind.TEXT, ["", "a", "ä'\"\\%:"]),
    "date": (Kind.DATE, ["2026-01-01", "2026-12-31"]),
    "time": (Kind.TIME, ["00:00:00", "23:59:59.999999"]),
    "timestamp": (Kind.TIMESTAMP, ["2026-01-01 00:00:00", "2026-01-01 00:00:00.000001"]),
    "timestamp with time zone": (Kind.INSTANT, ["2026-01-01 00:00:00+00", "2026-01-01 00:00:00.1+00"]),
    "uuid": (Kind.UUID, ["00000000-0000-0000-0000-000000000001", "f0000000-0000-0000-0000-000000000001"]),
}
VALUES = {
    "sqlite": _VALUES,
    "postgresql": _VALUES,
    "mysql": _VALUES,
    "firebird": {
        "bigint": _VALUES["integer"],
        "integer": (Kind.INTEGER, ["-2147483648", "0", "2147483647"]),
        "smallint": (Kind.INTEGER, ["-32768", "0", "32767"]),
        "numeric(18, 4)": _VALUES["numeric"],
        "decimal(9, 2)": _VALUES["numeric"],
        "double precision": _VALUES["double precision"],
        "varchar(20)": _VALUES["text"],
        "date": _VALUES["date"],
        "time": (Kind.TIME, ["00:00:00", "23:59:59.999900"]),
        "timestamp": (Kind.TIMESTAMP, ["2026-01-01 00:00:00", "2026-01-01 00:00:00.000100"]),
    },
}

AS_MYSQL_WRITES = {
    "numeric": ("decimal(9,2)", ["-1.50", "0.25", "10.00"]),
    "double precision": ("double", ["-1e300", "0.1", "0.30000000000000004"]),
    "time": ("time(6)", ["00:00:00.000000", "23:59:59.999999"]),
    "timestamp": ("timestamp(6)", ["2026-01-01 00:00:00.000000", "2026-01-01 00:00:00.000001"]),
    "timestamp with time zone": (
        "timestamp with time zone",
        ["2026-01-01 00:00:00.000000+00", "2026-01-01 00:00:00.100000+00"],
    ),
}


@pytest.mark.parametrize(
    ("legacy", "declared"),
    [(name, declared) for name in EACH for declared in VALUES[ENGINES[name].dialect]],
    indirect=["legacy"],
)
def test_a_value_is_found_again_by_the_text_that_a_watermark_keeps_of_it(legacy, database, declared):
    kind, values = VALUES[legacy.dialect][declared]
    type_ = "bigint" if declared == "integer" and values[0] == "-9223372036854775808" else declared
    if declared == "uuid" and legacy.engine.name.startswith("mysql"):
        type_ = "char(36)"
    if legacy.dialect == "mysql":
        type_, values = AS_MYSQL_WRITES.get(declared, (type_, values))
        kind = Kind.TEXT if kind is Kind.UUID else kind
        legacy.execute("SET time_zone = '+00:00'")
    legacy.execute(f"CREATE TABLE v (id integer PRIMARY KEY, v {type_} NOT NULL)")
    for number, value in enumerate(values):
        text = value.replace("'", "''")
        if legacy.dialect == "mysql":
            text = text.removesuffix("+00").replace("\\", "\\\\")
        legacy.execute(f"INSERT INTO v VALUES ({number}, '{text}')")
    column = database.reflect("v", None).columns[1]
    assert (column.name, column.kind, column.nullable) == ("v", kind, False)
    ordered = sa.select(sa.column("v")).select_from(sa.table("v")).order_by(sa.column("v"))

    texts = [database.text(row[0], column) for row in database.read(ordered)]

    assert [type(text) for text in texts] == [str] * len(values)
    if kind is not Kind.FLOAT and kind is not Kind.DECIMAL:
        assert texts == sorted(values, key=int) if kind is Kind.INTEGER else texts == sorted(values)
    for place, text in enumerate(texts):
        value = database.bind(text, column)
        above = ordered.where(database.beyond([sa.column("v")], [value]))
        from_here = ordered.where(database.beyond([sa.column("v")], [value], inclusive=True))
        upto = ordered.where(database.until([sa.column("v")], [value]))
        assert [database.text(row[0], column) for row in database.read(above)] == texts[place + 1 :]
        assert [database.text(row[0], column) for row in database.read(from_here)] == texts[place:]
        assert [database.text(row[0], column) for row in database.read(upto)] == texts[: place + 1]


def test_null_has_no_text(database):
    for kind in (Kind.INTEGER, Kind.TEXT, Kind.ANY):
        with pytest.raises(SourceError, match=r"column 'v' .*NULL"):
            database.text(None, Column("v", kind, "whatever"))
