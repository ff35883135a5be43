"""MariaDB and MySQL sessions: pinned whatever the server's defaults, cut cleanly, exact in every value."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import EnvelopeError, SourceError
from tests.support.engines import MARIADB, NEW_MYSQL, of
from tests.support.legacy import legacy_database

TYPES = {
    "ti": ("tinyint(1)", "1", Kind.INTEGER, "1"),
    "si": ("smallint unsigned", "65535", Kind.INTEGER, "65535"),
    "mi": ("mediumint", "-8388608", Kind.INTEGER, "-8388608"),
    "zi": ("int(7) zerofill", "42", Kind.INTEGER, "42"),
    "bu": ("bigint unsigned", "18446744073709551615", Kind.INTEGER, "18446744073709551615"),
    "y": ("year", "2026", Kind.INTEGER, "2026"),
    "n": ("decimal(20,4)", "'1.5'", Kind.DECIMAL, "1.5000"),
    "nz": ("decimal(8,2) zerofill", "1.5", Kind.DECIMAL, "1.50"),
    "f": ("float", "16777217", Kind.SINGLE, "16777216"),
    "d": ("double", "-1e-300", Kind.FLOAT, "-1e-300"),
    "c": ("char(5)", "'a'", Kind.TEXT, "a"),
    "la": ("varchar(9) CHARACTER SET latin1", "'\u00fc'", Kind.TEXT, "\u00fc"),
    "bi": ("varchar(9) COLLATE utf8mb4_bin", "'\u20ac\U0001f9fe'", Kind.TEXT, "\u20ac\U0001f9fe"),
    "tx": ("mediumtext", "'x'", Kind.TEXT, "x"),
    "e": ("enum('new','paid')", "'paid'", Kind.TEXT, "paid"),
    "s": ("set('a','b')", "'a,b'", Kind.TEXT, "a,b"),
    "b": ("blob", "x'00ff'", Kind.BYTES, b"\x00\xff"),
    "fb": ("binary(2)", "x'01'", Kind.BYTES, b"\x01\x00"),
    "da": ("date", "'2026-11-23'", Kind.DATE, "2026-11-23"),
    "t": ("time(1)", "'-838:59:58.9'", Kind.TIME, "-838:59:58.9"),
    "dt": ("datetime(3)", "'2026-11-23 09:15:02.1'", Kind.TIMESTAMP, "2026-11-23 09:15:02.100"),
    "ts": ("timestamp(6) NULL", "'2026-11-23 09:15:02.1'", Kind.INSTANT, "2026-11-23 09:15:02.100000+00"),
}
DEFAULTS = {
    "sql_mode": "'PAD_CHAR_TO_FULL_LENGTH'",
    "time_zone": "'+05:30'",
    "sql_select_limit": "1",
    "character_set_server": "'latin1'",
    "{isolation}": "'SERIALIZABLE'",
}


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture
def odd_defaults(legacy):
    """What a session finds when it begins."""
    [(isolation, _), *_] = legacy.execute(
        "SHOW VARIABLES WHERE Variable_name IN ('transaction_isolation', 'tx_isolation')"
    )
    legacy.begin_with(**{name.format(isolation=isolation): value for name, value in DEFAULTS.items()})


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


def test_every_type_has_its_kind_and_its_exact_text(legacy, odd_defaults, database):
    legacy.execute("SET sql_mode = '', time_zone = '+00:00'")
    columns = ", ".join(f"{name} {declared}" for name, (declared, *_) in TYPES.items())
    legacy.connection._connection.query(f"CREATE TABLE t ({columns}) DEFAULT CHARSET utf8mb4")
    for _ in range(2):
        legacy.execute(f"INSERT INTO t VALUES ({', '.join(value for _, value, *_ in TYPES.values())})")

    found = database.reflect("t", None)

    assert [column.kind for column in found.columns] == [kind for *_, kind, _ in TYPES.values()]
    columns = [sa.column(column.name) for column in found.columns]
    rows = database.read(sa.select(*columns).select_from(found.selectable))
    assert rows == [tuple(text for *_, text in TYPES.values())] * 2


def test_a_query_has_the_same_kinds_and_texts_as_its_table(legacy, database):
    legacy.execute("SET time_zone = '+00:00'")
    legacy.connection._connection.query("CREATE TABLE t (f float, ts timestamp NULL, b blob)")
    legacy.execute("INSERT INTO t VALUES (0.1, '2026-01-01', x'ff')")
    found = database.reflect(None, "SELECT f, ts, b FROM t")
    assert [column.kind for column in found.columns] == [Kind.SINGLE, Kind.INSTANT, Kind.BYTES]
    columns = [sa.column(column.name) for column in found.columns]
    [row] = database.read(sa.select(*columns).select_from(found.selectable))
    assert row == ("0.10000000149011612", "2026-01-01 00:00:00+00", b"\xff")


@pytest.mark.parametrize("engine", MARIADB)
def test_json_of_mariadb_is_json(request, engine):
    with legacy_database(request, engine) as legacy:
        legacy.execute("CREATE TABLE t (j json, `o``dd` json, t text, c text CHECK (json_valid(c) or c = ''))")
        database = legacy.database()
        kinds = {column.name: column.kind for column in database.reflect("t", None).columns}
        database.close()
    assert kinds == {"j": Kind.JSON, "o`dd": Kind.JSON, "t": Kind.TEXT, "c": Kind.TEXT}


def test_a_text_key_does_not_change_how_floats_and_points_in_time_are_read(legacy):
    legacy.execute("CREATE TABLE t (code varchar(9) PRIMARY KEY, f float, ts timestamp(0) NULL)")
    legacy.execute("INSERT INTO t VALUES ('a', 0.1, '2026-01-01')")
    with legacy.source(watermark_columns=("code",)) as source:
        [batch] = source.open(None).batches
    assert batch.rows == [("a", "0.10000000149011612", "2026-01-01 00:00:00+00")]


def test_a_value_that_no_message_can_hold_is_refused_in_tables_and_queries(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, `bo``dy %` longtext) ENGINE = MyISAM")
    legacy.execute("INSERT INTO t SELECT 1, '%' UNION ALL SELECT 2, repeat('x', 9)")
    legacy.execute("UPDATE t SET `bo``dy %` = repeat('x', 17000000) WHERE id = 2")
    options = {"watermark_columns": ("id",), "key_columns": ("id",), "batch_rows": 1}
    for what in ({"table": "t"}, {"sql": "SELECT * FROM t"}):
        with legacy.source(**what, **options) as source:
            pages = source.open(None).batches
            assert next(pages).rows == [("1", "%")]
            with pytest.raises(
                EnvelopeError, match=r"column 'bo`dy %' holds a value of 17000000 bytes, and at most 16777216"
            ):
                next(pages)


@pytest.mark.parametrize("write", ["INSERT INTO t VALUES (1)", "DROP TABLE t", "DELETE FROM t", "TRUNCATE t"])
def test_no_statement_writes(legacy, database, write):
    legacy.execute("CREATE TABLE t (id integer)")
    legacy.execute("INSERT INTO t VALUES (7)")
    with pytest.raises(SourceError, match="READ ONLY"):
        database.read(sa.text(write))
    assert legacy.execute("SELECT id FROM t") == [(7,)]


def test_a_statement_ends_with_its_timeout_and_the_next_one_works(legacy):
    database = legacy.database(timeout=0.3)
    endless = sa.text("SELECT count(*) FROM " + ", ".join(f"information_schema.collations AS c{at}" for at in range(6)))
    for _ in range(3):
        with pytest.raises(SourceError, match=r"reading: cancelled after the statement timeout of 0\.3 s"):
            database.read(endless)
        assert database.read(sa.text("SELECT 1")) == [("1",)]
    database.close()


def test_pages_of_wide_rows_are_cut_and_the_next_page_is_whole(legacy, database):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
    for number in range(60):
        legacy.execute("INSERT INTO t VALUES (%s, REPEAT('x', 500000))", number)
    table = sa.select(sa.column("id"), sa.column("body")).select_from(sa.table("t")).order_by(sa.column("id"))
    seen = -1
    while rows := database.read(table.where(sa.column("id") > seen), 4_000_000):
        assert [int(row[0]) for row in rows] == list(range(seen + 1, seen + 1 + len(rows)))
        assert len(rows) < 40
        seen = int(rows[-1][0])
    assert seen == 59


def test_a_connection_cut_while_a_statement_runs_is_a_source_error_and_no_hang(legacy, database):
    [(number,)] = database.read(sa.text("SELECT CONNECTION_ID()"))

    def cut() -> None:
        sleeping = "SELECT 1 FROM information_schema.processlist WHERE id = %s AND info LIKE '%%SLEEP(600)%%'"
        with legacy.connect() as other:
            while not other.execute(sleeping, (number,)).fetchall():
                pass
            other.execute(f"KILL {number}")

    killer = threading.Thread(target=cut)
    killer.start()
    with pytest.raises(SourceError, match="connection 'crm' failed while reading"):
        database.read(sa.text("SELECT SLEEP(600)"))
    killer.join(10)
    with pytest.raises(SourceError, match="connection 'crm' failed while reading"):
        database.read(sa.text("SELECT 1"))


def test_close_cuts_a_session_that_can_not_be_interrupted(legacy, database, monkeypatch):
    database.read(sa.text("SELECT 1"))
    monkeypatch.setattr(type(database), "_interrupt", lambda self, session: None)
    found = []

    def read() -> None:
        with pytest.raises(SourceError) as ended:
            database.read(sa.text("SELECT SLEEP(60)"))
        found.append(ended.value)

    reading = threading.Thread(target=read)
    reading.start()
    while not database._turn.locked():
        pass
    database.close()
    reading.join(10)
    assert len(found) == 1


def test_identity_is_of_the_server_and_its_database(legacy, database):
    found = database.identity()
    assert found["database"] == legacy.url.database
    assert set(found) < {"server_uid", "server_uuid", "hostname", "port", "server_id", "database"}


def test_the_mode_in_which_a_query_is_written_stays_the_server_s(legacy):
    legacy.begin_with(sql_mode="'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'")
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at varchar(9) NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (1, %s), (2, %s)", "a\\'", "b\\")
    query = "SELECT \"id\", at, at || '\\' AS more FROM t"
    with legacy.source(sql=query, watermark_columns=("at",), key_columns=("id",), batch_rows=1) as source:
        rows = [row for batch in source.open(None).batches for row in batch.rows]
    assert rows == [("1", "a\\'", "a\\'\\"), ("2", "b\\", "b\\\\")]


@pytest.mark.parametrize("legacy", NEW_MYSQL, indirect=True)
@pytest.mark.parametrize("options", [{}, {"ssl_mode": "REQUIRED"}], ids=["plain", "TLS"])
def test_a_user_whose_password_the_server_does_not_know_yet_is_let_in(legacy, options):
    """By `caching_sha2_password`, the first time by a key of the server or TLS, then by what it remembers."""
    name = f"u{legacy.url.database[-12:]}"
    for host in ("localhost", "127.0.0.1", "%"):
        legacy.execute(f"CREATE USER {name}@'{host}' IDENTIFIED WITH caching_sha2_password BY 'secret'")
        legacy.execute(f"GRANT SELECT ON {legacy.url.database}.* TO {name}@'{host}'")
    legacy.url = legacy.url.update_query_dict(options)
    try:
        for _ in range(2):
            database = legacy.database(username=name, password="secret")
            assert database.identity()["database"] == legacy.url.database
            database.close()
    finally:
        for host in ("localhost", "127.0.0.1", "%"):
            legacy.execute(f"DROP USER {name}@'{host}'")
