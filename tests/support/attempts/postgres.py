"""What a hostile owner of a schema, or of a whole database, of PostgreSQL does."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
from collections.abc import Iterator
from typing import Any

from tests.support.attempts.attempt import EITHER, SECRET, Attempt
from tests.support.attempts.postgres_names import NAMED, VALUES
from tests.support.attempts.postgres_traps import f

SOON = {"statement_timeout": dt.timedelta(seconds=1)}
SINGLY = {"batch_rows": 1}
READ_ONLY = "read-only transaction"
BOUND = "statement timeout|timed out|did not answer"
VIEW = "CREATE VIEW v AS SELECT id, f(id) AS v FROM t"


def called(body: str, options: str = "") -> tuple[str, str]:
    """A view that calls it."""
    return f(f"BEGIN {body}; RETURN n; END", options), VIEW


def raised(message: str, code: str = "P0001") -> tuple[str, str]:
    """A view whose function raises an error that somebody else's would be."""
    return called(f"RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = {message}")


def forged(report: str) -> Attempt:
    """An error that looks like the one by which ours tell of a row that is too large."""
    told = f"SELECT ('legacy-events-too-large {report}\"')::integer"
    name = f"an error that looks like our own: {report[:24]}"
    return Attempt(name, called(f"EXECUTE $q${told}$q$"), r"failed while reading|too-large|holds a value of|a row of")


@contextlib.contextmanager
def locked_table(place: Any) -> Iterator[None]:
    """The owner holds the table while the run works."""
    with place.owner() as owner, owner.transaction():
        owner.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        yield


@contextlib.contextmanager
def locked_stream(place: Any) -> Iterator[None]:
    """The owner holds the lock of the stream, whose number anybody may see in pg_locks."""
    with place.owner() as owner:
        for high, low, two in place.lock_keys():
            key = (high, low) if two == 2 else ((high << 32) | (low & 0xFFFFFFFF),)
            owner.execute(f"SELECT pg_advisory_lock({', '.join('%s' for _ in key)})", key)
        yield


@contextlib.contextmanager
def silent_server(place: Any) -> Iterator[None]:
    """A foreign table leads to a server that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        place.admin.execute("CREATE EXTENSION IF NOT EXISTS postgres_fdw SCHEMA pg_catalog")
        place.admin.execute(f"GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {place.owner_name}")
        with place.owner() as owner:
            owner.execute(f"CREATE SERVER nobody FOREIGN DATA WRAPPER postgres_fdw OPTIONS (port '{port}')")
            owner.execute("CREATE USER MAPPING FOR PUBLIC SERVER nobody OPTIONS (user 'x', password 'x')")
            owner.execute("CREATE FOREIGN TABLE v (id integer NOT NULL, v text) SERVER nobody")
            owner.execute(f"GRANT SELECT ON v TO {place.reader_name}")
        yield
    place.admin.execute("DROP SERVER nobody CASCADE")


CODE = (
    Attempt("a view writes with the reader's rights", called("INSERT INTO vault.written VALUES ('x')"), READ_ONLY),
    Attempt(
        "a view writes with its owner's rights",
        ("CREATE TABLE log (x text)", *called("INSERT INTO log VALUES ('x')", "SECURITY DEFINER")),
        READ_ONLY,
    ),
    Attempt(
        "a view lets later transactions write",
        called(
            "PERFORM set_config('default_transaction_read_only', 'off', false);"
            " IF current_setting('transaction_read_only') = 'off' THEN INSERT INTO vault.written VALUES ('x'); END IF"
        ),
        asks=SINGLY,
    ),
    Attempt(
        "a view sets the characteristics of its session",
        called(
            "EXECUTE 'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE';"
            " IF n > 1 THEN INSERT INTO vault.written VALUES ('x'); END IF"
        ),
        READ_ONLY,
        SINGLY,
    ),
    Attempt(
        "a view lets its transaction write",
        called("PERFORM set_config('transaction_read_only', 'off', true); INSERT INTO vault.written VALUES ('x')"),
        "read-write mode",
    ),
    Attempt("a view commits", called("EXECUTE 'COMMIT'"), "failed while reading"),
    Attempt("a view takes a number of a sequence", called("PERFORM nextval('vault.numbers')"), READ_ONLY),
    Attempt("a view makes a large object", called("PERFORM lo_create(0)"), READ_ONLY),
    Attempt("a view notifies", called("PERFORM pg_notify('orders', 'forged')"), EITHER),
    Attempt(
        "a function that is only planned writes",
        (
            (
                "CREATE FUNCTION w() RETURNS text LANGUAGE plpgsql AS"
                " $$ BEGIN INSERT INTO vault.written VALUES ('x'); RETURN 1; END $$"
            ),
            f("BEGIN RETURN w(); END", "IMMUTABLE"),
            "CREATE VIEW v AS SELECT id, v FROM t WHERE f(1) = '1'",
        ),
        READ_ONLY,
    ),
    Attempt(
        "a policy of the rows writes",
        (
            *called("INSERT INTO vault.written VALUES ('x')")[:1],
            "CREATE POLICY p ON t USING (f(id) IS NOT NULL)",
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        ),
        READ_ONLY,
        {"table": "app.t", "row_security": "apply"},
    ),
    Attempt(
        "a view changes the settings of its session",
        called(
            "PERFORM set_config(k, w, false) FROM (VALUES ('TimeZone', 'Asia/Kolkata'), ('DateStyle', 'German, DMY'),"
            " ('bytea_output', 'escape'), ('search_path', 'pg_catalog'), ('extra_float_digits', '-9'),"
            " ('IntervalStyle', 'iso_8601'), ('standard_conforming_strings', 'off')) s (k, w)"
        ),
        asks=SINGLY,
        values=("1", "2", "3"),
    ),
    Attempt(
        "a view takes its session's timeout away and sleeps in the next page",
        called("PERFORM set_config('statement_timeout', '0', false); IF n > 1 THEN PERFORM pg_sleep(900); END IF"),
        BOUND,
        {**SINGLY, **SOON},
    ),
    Attempt(
        "a view ends all sessions of the reader",
        called("PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user"),
        "failed while|is lost",
    ),
    Attempt(
        "a view waits for the stream's own lock",
        called(
            "PERFORM pg_advisory_lock((classid::bigint << 32) | objid::bigint) FROM pg_locks"
            " WHERE locktype = 'advisory' AND objsubid = 1; PERFORM pg_advisory_lock(classid::int, objid::int)"
            " FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
        ),
        EITHER,
        SOON,
    ),
)
ENDLESS = (
    Attempt(
        "an endless view",
        ("CREATE VIEW v AS SELECT g AS id, 'x'::text AS v FROM generate_series(1, 1000000000000) g",),
        BOUND,
        SOON,
    ),
    Attempt(
        "a query that calls itself for ever",
        ("CREATE VIEW v AS WITH RECURSIVE r AS (SELECT 1 AS id UNION ALL SELECT id FROM r) SELECT id, '' AS v FROM r",),
        BOUND,
        SOON,
    ),
    Attempt("a view sleeps", called("PERFORM pg_sleep(900)"), BOUND, SOON),
    Attempt(
        "a function that does not let itself be cancelled",
        called(
            "LOOP BEGIN PERFORM pg_sleep(900); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP",
        ),
        "did not answer",
        SOON,
    ),
    Attempt(
        "a row of 30 MB",
        (
            (
                "CREATE VIEW v AS SELECT id, repeat('x', 10000000) AS v, repeat('x', 10000000) AS w,"
                " repeat('x', 10000000) AS x FROM t"
            ),
        ),
        "a row of 3",
    ),
    Attempt("a value of 200 MB", ("CREATE VIEW v AS SELECT id, repeat('x', 200000000) AS v FROM t",), "holds a value"),
    Attempt("fifty thousand notices", called("FOR i IN 1..20000 LOOP RAISE NOTICE 'x %', i; END LOOP")),
    Attempt("a table that its owner holds", ("CREATE VIEW v AS SELECT * FROM t",), BOUND, SOON, locked_table),
    Attempt(
        "a lock of ours that somebody else holds", ("CREATE VIEW v AS SELECT * FROM t",), "lock", {}, locked_stream
    ),
    Attempt("a foreign table of a server that says nothing", (), f"{BOUND}|could not connect", SOON, silent_server),
)
TOLD = (
    Attempt("an error that tells a value", raised(f"E'{SECRET}\\n\\x1b[31m'"), "raised an exception"),
    *(
        Attempt(f"an error of class {code} that tells a value", raised(f"'{SECRET}'", code), "failed while|can't be")
        for code in ("22021", "22P05", "42P01", "57014", "XX000", "40001", "08006")
    ),
    Attempt(
        "a text that is said to be unreadable, once",
        called(
            "IF current_setting('client_encoding') = 'UTF8' THEN"
            f" RAISE EXCEPTION USING ERRCODE = '22021', MESSAGE = '{SECRET}', DETAIL = '{SECRET}'; END IF"
        ),
        "can't be read as UTF-8",
    ),
    forged('0 ["v"]'),
    forged('5 ["v"]'),
    forged("5 [}]"),
    forged('1,2 ["v"]'),
    forged(f'99999999 ["{SECRET}"]'),
    forged(f'{"9" * 5000} ["v"]'),
    forged('99999999 [{"v": 1}]'),
    forged(f"1 {'[' * 3000}{']' * 3000}"),
)
ATTEMPTS = (*CODE, *ENDLESS, *TOLD, *NAMED, *VALUES)
