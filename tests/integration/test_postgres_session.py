"""PostgreSQL sessions: pinned whatever the role's defaults, cut cleanly, cheap when there is nothing to do."""

from __future__ import annotations

import contextlib
import threading

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.databases.postgres.prefetch import LONGEST_SECONDS
from tests.services.base import wait_until
from tests.support.engines import of
from tests.support.legacy import legacy_database

TYPES = {
    "i2": ("smallint", "1", Kind.INTEGER, "1"),
    "o": ("oid", "4294967295", Kind.INTEGER, "4294967295"),
    "n": ("numeric(20,4)", "'1.5'", Kind.DECIMAL, "1.5000"),
    "nan": ("numeric", "'NaN'", Kind.DECIMAL, "NaN"),
    "f4": ("real", "0.1", Kind.FLOAT, "0.1"),
    "f8": ("double precision", "'-Infinity'", Kind.FLOAT, "-Infinity"),
    "b": ("boolean", "true", Kind.BOOLEAN, "t"),
    "c": ("char(3)", "'a'", Kind.TEXT, "a  "),
    "v": ("varchar(9)", "'ü€'", Kind.TEXT, "ü€"),
    "na": ("name", "'x'", Kind.TEXT, "x"),
    "d": ("date", "'0044-03-15 BC'", Kind.DATE, "0044-03-15 BC"),
    "t": ("time", "'23:59:59.5'", Kind.TIME, "23:59:59.5"),
    "tz": ("time with time zone", "'12:00+02'", Kind.TIME, "12:00:00+02"),
    "ts": ("timestamp", "'2026-11-23 09:15:02.123456'", Kind.TIMESTAMP, "2026-11-23 09:15:02.123456"),
    "tstz": ("timestamptz", "'2026-11-23 09:15:02+02'", Kind.INSTANT, "2026-11-23 07:15:02+00"),
    "u": ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", Kind.UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "j": ("json", "'{\"a\" : 1.10}'", Kind.JSON, '{"a" : 1.10}'),
    "jb": ("jsonb", "'{\"a\" : 1.10}'", Kind.JSON, '{"a": 1.10}'),
    "by": ("bytea", "'\\x00ff'", Kind.BYTES, "\\x00ff"),
    "dom": ("positive", "5", Kind.INTEGER, "5"),
}


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture
def role(legacy):
    name = f"{legacy.url.database}_odd"
    legacy.execute(f"CREATE ROLE {name} LOGIN SUPERUSER")
    yield name
    legacy.execute(f"DROP ROLE {name}")


def test_the_texts_of_values_do_not_depend_on_the_role_or_the_database(legacy, role):
    legacy.execute("CREATE DOMAIN positive AS integer CHECK (VALUE > 0)")
    columns = ", ".join(f"{name} {declared}" for name, (declared, *_) in TYPES.items())
    legacy.execute(f"CREATE TABLE t ({columns})")
    legacy.execute(f"INSERT INTO t VALUES ({', '.join(value for _, value, *_ in TYPES.values())})")
    odd = {
        "TimeZone": "'Asia/Kolkata'",
        "DateStyle": "'German, DMY'",
        "IntervalStyle": "'iso_8601'",
        "bytea_output": "'escape'",
        "extra_float_digits": "-3",
        "client_encoding": "'LATIN1'",
        "default_transaction_isolation": "'serializable'",
        "statement_timeout": "'500ms'",
    }
    for name, value in odd.items():
        legacy.execute(f"ALTER ROLE {role} SET {name} = {value}")
        legacy.execute(f"ALTER DATABASE {legacy.url.database} SET {name} = {value}")
    database = legacy.database(username=role)

    found = database.reflect("t", None)

    assert [column.kind for column in found.columns] == [kind for *_, kind, _ in TYPES.values()]
    assert all(column.checked for column in found.columns)
    [row] = database.read(sa.select(sa.literal_column("*")).select_from(found.selectable))
    assert row == tuple(text for *_, text in TYPES.values())
    assert list(database.read(sa.select(sa.literal_column("pg_sleep(0.6)::text")))) == [("",)]
    database.close()


def test_the_search_path_stays_the_role_s_own(legacy, role):
    legacy.execute("CREATE SCHEMA crm")
    legacy.execute("CREATE TABLE crm.t (id integer PRIMARY KEY)")
    legacy.execute(f"ALTER ROLE {role} SET search_path = crm")
    database = legacy.database(username=role)
    assert [column.name for column in database.reflect("t", None).columns] == ["id"]
    database.close()


@pytest.mark.parametrize(
    "attempt",
    [
        "SELECT setval('q', 5)::text",
        "SELECT write_behind()::text",
        "SELECT set_config('transaction_read_only', 'off', false) || write_behind()",
        "SELECT set_config('default_transaction_read_only', 'off', false) || write_behind()",
        "INSERT INTO t VALUES (1) RETURNING id::text",
    ],
)
def test_no_statement_writes(legacy, attempt):
    legacy.execute("CREATE TABLE t (id integer)")
    legacy.execute("CREATE SEQUENCE q")
    legacy.execute(
        "CREATE FUNCTION write_behind() RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO t VALUES (1); RETURN ''; END $$"
    )
    database = legacy.database()
    with pytest.raises(SourceError, match=r"read-only|read-write"):
        database.read(sa.text(attempt))
    assert legacy.execute("SELECT count(*) FROM t") == [(0,)]
    database.close()


def test_a_connection_cut_between_two_reads_is_a_source_error(legacy):
    database = legacy.database()
    [(pid,)] = database.read(sa.text("SELECT pg_backend_pid()"))
    legacy.execute("SELECT pg_terminate_backend(%s, 10000)", int(pid))
    with pytest.raises(SourceError, match="connection 'crm' failed while reading"):
        database.read(sa.text("SELECT 1"))
    database.close()


@pytest.mark.parametrize("inside", [False, True], ids=["outside a snapshot", "inside a snapshot"])
def test_a_connection_cut_while_a_statement_runs_is_a_source_error_and_no_hang(legacy, inside):
    database = legacy.database()
    [(pid,)] = database.read(sa.text("SELECT pg_backend_pid()"))
    cut = threading.Thread(target=_terminate_once_it_sleeps, args=(legacy.connect(), int(pid)))
    cut.start()
    around = database.snapshot() if inside else contextlib.nullcontext()
    with around, pytest.raises(SourceError, match="connection 'crm' failed while reading: terminating connection"):
        database.read(sa.text("SELECT pg_sleep(600)::text"), max_bytes=1)
    cut.join(10)
    database.close()


def _terminate_once_it_sleeps(connection: psycopg.Connection, pid: int) -> None:
    with connection:
        while connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'", (pid,)
        ).fetchone() != (True,):
            pass


def test_a_text_that_is_not_in_the_encoding_of_its_database_is_a_source_error(legacy, postgres):
    name = f"{legacy.url.database}_ascii"
    legacy.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    database = legacy.database(database=name)
    good, bad = (f"SELECT convert_from('\\x{code}', 'SQL_ASCII')" for code in ("c3a4", "e4"))
    assert database.read(sa.text(good)) == [("ä",)]
    with pytest.raises(SourceError, match="column 'convert_from' holds bytes"):
        database.read(sa.text(bad))
    assert database.read(sa.text("SELECT 1")) == [("1",)]
    database.close()
    legacy.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("declared", ["pg_node_tree", "gtsvector", "gtsvector[]"])
def test_a_type_that_can_not_be_carried_is_told_with_its_cast(legacy, declared):
    legacy.execute(
        f"CREATE TABLE t (id integer PRIMARY KEY, at integer NOT NULL, odd {declared}, {declared[:3]}2 {declared})"
    )
    with legacy.source(watermark_columns=("at",)) as source, pytest.raises(ConfigurationError) as refused:
        source.open(None)
    message = str(refused.value)
    assert f"types that can't be carried: 'odd' ({declared}), " in message
    assert "exclude_columns=[...], or read them as text with sql= and CAST(odd AS text) AS odd" in message
    with legacy.source(watermark_columns=("at",), exclude_columns=("odd", f"{declared[:3]}2")) as source:
        source.open(None)


ORDERED = sa.select(sa.column("id")).select_from(sa.table("t")).order_by(sa.column("id"))

BODIES = sa.select(sa.column("body")).select_from(sa.table("t"))


def begin_a_large_read(legacy, database) -> int:
    """Let the server begin with more rows than the wire holds; return the backend's pid once it waits."""
    legacy.execute("CREATE TABLE t AS SELECT n AS id, repeat('x', 1000) AS body FROM generate_series(1, 50000) n")
    [(pid,)] = database.read(sa.text("SELECT pg_backend_pid()"))
    database.prefetch(BODIES)
    waits = "SELECT wait_event FROM pg_stat_activity WHERE pid = %s"
    wait_until(lambda: legacy.execute(waits, int(pid)) == [("ClientWrite",)], "more rows than the wire holds")
    return int(pid)


@pytest.fixture
def begun(legacy):
    """A database whose server works on `ORDERED` before it is asked for the rows, and the backend's pid."""
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    legacy.execute("INSERT INTO t VALUES (1), (2)")
    database = legacy.database()
    [(pid,)] = database.read(sa.text("SELECT pg_backend_pid()"))
    [(before,)] = legacy.execute("SELECT state_change FROM pg_stat_activity WHERE pid = %s", int(pid))
    database.prefetch(ORDERED)
    done = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'idle' AND state_change > %s"
    wait_until(lambda: legacy.execute(done, int(pid), before), "the read that was begun ahead")
    yield database, int(pid)
    database.close()


def test_a_read_ahead_is_as_old_as_its_begin(legacy, begun):
    legacy.execute("INSERT INTO t VALUES (3)")
    assert begun[0].read(ORDERED) == [("1",), ("2",)]
    assert begun[0].read(ORDERED) == [("1",), ("2",), ("3",)]


def test_a_read_that_nobody_takes_is_given_up_lest_it_holds_up_who_alters_the_table(legacy):
    database = legacy.database(timeout=2.0)  # a quarter of it is waited for
    pid = begin_a_large_read(legacy, database)
    legacy.execute("ALTER TABLE t ADD COLUMN more text")
    begun = "SELECT query FROM pg_stat_activity WHERE pid = %s AND state = 'active'"
    wait_until(lambda: legacy.execute(begun, pid) == [], "the end of the read, whose locks go first")
    assert len(database.read(BODIES)) == 50_000
    database.prefetch(BODIES)  # the taker was slow once
    assert legacy.execute(begun, pid) == []
    assert len(database.read(BODIES)) == 50_000
    database.close()


def test_a_read_that_is_taken_late_is_begun_anew(legacy, begun):
    begun[0]._prefetch._began -= LONGEST_SECONDS
    legacy.execute("INSERT INTO t VALUES (3)")
    assert begun[0].read(ORDERED) == [("1",), ("2",), ("3",)]


def test_a_session_that_was_lost_behind_a_read_ahead_is_a_source_error_of_the_read(legacy, begun):
    database, pid = begun
    legacy.execute("SELECT pg_terminate_backend(%s, 10000)", pid)
    assert database.read(ORDERED) == [("1",), ("2",)]  # these had arrived
    database.prefetch(ORDERED)
    with pytest.raises(SourceError, match="connection 'crm' failed while reading"):
        database.read(ORDERED)


def test_close_ends_a_read_ahead_that_nobody_takes(legacy):
    database = legacy.database()
    pid = begin_a_large_read(legacy, database)
    database.close()
    gone = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
    wait_until(lambda: not legacy.execute(gone, pid), "the end of the session")


def test_close_cuts_a_session_whose_server_does_not_answer(legacy, monkeypatch):
    database = legacy.database()
    [(pid,)] = database.read(sa.text("SELECT pg_backend_pid()"))
    monkeypatch.setattr(type(database), "_interrupt", lambda self, session: None)
    found = []

    def read() -> None:
        with pytest.raises(SourceError) as ended:
            database.read(sa.text("SELECT pg_sleep(600)::text"))
        found.append(ended.value)

    reading = threading.Thread(target=read)
    reading.start()
    while legacy.execute("SELECT wait_event FROM pg_stat_activity WHERE pid = %s", int(pid)) != [("PgSleep",)]:
        pass

    database.close()

    reading.join(10)
    assert len(found) == 1
    legacy.execute("SELECT pg_terminate_backend(%s)", int(pid))
