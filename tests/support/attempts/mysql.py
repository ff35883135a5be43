"""What a hostile owner of a database of MySQL or MariaDB does."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

from tests.support.attempts.attempt import EITHER, HOSTILE, SECRET, TRAP, Attempt

SOON = {"statement_timeout": dt.timedelta(seconds=1)}
SINGLY = {"batch_rows": 1}
READ_ONLY = "READ ONLY|read only"
BOUND = "statement timeout|timed out|did not answer|interrupted|cancelled after"
VIEW = "CREATE SQL SECURITY INVOKER VIEW v AS SELECT id, f(id) AS v FROM t"


def f(body: str, name: str = "f", security: str = "INVOKER") -> str:
    """A function that does something, with the rights of whoever reads."""
    return (
        f"CREATE FUNCTION {name}(n int) RETURNS varchar(99) DETERMINISTIC MODIFIES SQL DATA SQL SECURITY {security}"
        f" BEGIN {body}; RETURN n; END"
    )


def called(body: str, security: str = "INVOKER") -> tuple[str, str]:
    """A view that calls it."""
    return f(body, security=security), VIEW


def forged(report: str) -> Attempt:
    """An error that looks like the one by which ours tell of a row that is too large."""
    body = f"SET @legacy_events_too_large = {report}; SET @x = (SELECT id FROM t)"
    return Attempt(
        f"an error that looks like our own: {report[:24]}", called(body), "failed while|holds a value|a row of"
    )


@contextlib.contextmanager
def locked_table(place: Any) -> Iterator[None]:
    """The owner holds the table while the run works."""
    with place.owner() as owner:
        owner.execute("LOCK TABLES t WRITE")
        yield


@contextlib.contextmanager
def locked_stream(place: Any) -> Iterator[None]:
    """The owner holds the lock of the stream, whose name anybody can make."""
    with place.owner() as owner:
        owner.execute("SELECT GET_LOCK(%s, 0)", (place.lock_name(),))
        yield


CODE = (
    Attempt("a view writes with the reader's rights", called("INSERT INTO <vault>.written VALUES ('x')"), READ_ONLY),
    Attempt(
        "a view writes with its owner's rights",
        ("CREATE TABLE log (x varchar(9))", *called("INSERT INTO log VALUES ('x')", "DEFINER")),
        READ_ONLY,
    ),
    Attempt(
        "a view lets later transactions write",
        called("SET SESSION TRANSACTION READ WRITE; IF n > 1 THEN INSERT INTO <vault>.written VALUES ('x'); END IF"),
        READ_ONLY,
        SINGLY,
    ),
    Attempt(
        "a view lets the next transaction write",
        (
            f("SET TRANSACTION READ WRITE", "g"),
            *called("SET @x = g(n); IF n > 1 THEN INSERT INTO <vault>.written VALUES ('x'); END IF"),
        ),
        EITHER,
        SINGLY,
    ),
    Attempt(
        "a view changes the settings of its session",
        called(
            "SET SESSION sql_mode = 'ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH', SESSION time_zone = '+05:30',"
            " SESSION sql_select_limit = 1, SESSION character_set_results = NULL, SESSION max_sort_length = 64,"
            " SESSION group_concat_max_len = 4"
        ),
        asks=SINGLY,
        values=("1", "2", "3"),
    ),
    Attempt(
        "a view takes its session's timeout away and sleeps in the next page",
        called("IF @@version LIKE '%MariaDB%' THEN SET @x = 1; END IF; SET @y = IF(n > 1, SLEEP(900), 0)"),
        EITHER,
        {**SINGLY, **SOON},
    ),
    Attempt("a view takes the stream's own lock", called("SET @x = GET_LOCK('<lock>', 900)"), EITHER, SOON),
    Attempt("a view gives all locks back", called("SET @x = RELEASE_LOCK('<lock>')"), asks=SINGLY),
    Attempt("a view takes a lock of another stream", called("SET @x = GET_LOCK('legacy-events-x', 9)"), EITHER),
    Attempt(
        "a view ends sessions of the reader",
        called("SET @x = (SELECT max(id) FROM information_schema.processlist WHERE id <> CONNECTION_ID()); KILL @x"),
        EITHER,
    ),
    Attempt("a view ends its own session", called("KILL CONNECTION_ID()"), "failed while"),
    Attempt("a view changes variables that are ours", called("SET @legacy_events_too_large = '99999999 v'")),
)
ENDLESS = (
    Attempt(
        "an endless view",
        (
            "CREATE TABLE many (n int)",
            "INSERT INTO many VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)",
            *(["INSERT INTO many SELECT a.n FROM many a, many b"] * 2),
            "CREATE VIEW v AS SELECT MAX(a.n + b.n * c.n * d.n) AS id, 'x' AS v FROM many a, many b, many c, many d",
        ),
        BOUND,
        SOON,
    ),
    Attempt("a view sleeps", ("CREATE VIEW v AS SELECT id, CONCAT(SLEEP(900), v) AS v FROM t",), EITHER, SOON),
    Attempt(
        "a function that does not let itself be ended",
        called("DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SET @x = 1; WHILE TRUE DO SET @x = SLEEP(900); END WHILE"),
        BOUND,
        SOON,
    ),
    Attempt(
        "a row of 30 MB",
        (
            (
                "CREATE VIEW v AS SELECT id, REPEAT('x', 10000000) AS v, REPEAT('y', 10000000) AS w,"
                " REPEAT('z', 10000000) AS x FROM t"
            ),
        ),
        "a row of|holds a value",
    ),
    Attempt(
        "a value of 60 MB", ("CREATE VIEW v AS SELECT id, REPEAT('x', 60000000) AS v FROM t",), "holds a value|a row of"
    ),
    Attempt("a table that its owner holds", ("CREATE VIEW v AS SELECT * FROM t",), BOUND, SOON, locked_table),
    Attempt(
        "a lock of ours that somebody else holds", ("CREATE VIEW v AS SELECT * FROM t",), "lock", {}, locked_stream
    ),
)
TOLD = (
    Attempt(
        "an error that tells a value",
        called(f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{SECRET} \x1b[31m'"),
        "raised an exception",
    ),
    Attempt(
        "an error of another number that tells a value",
        called(f"SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31000, MESSAGE_TEXT = '{SECRET}'"),
        "raised an exception",
    ),
    Attempt("a number out of range", called("SET @x = POW(1e300, 1000 + n)"), "failed while|can't be read"),
    Attempt("a power of a number that is long", called(f"SET @x = POW(1e300, {'9' * 200})"), "failed while"),
    forged("'0 v'"),
    forged("'99999999 '"),
    forged("CONCAT(REPEAT('9', 5000), ' ')"),
    forged(f"'99999999 {SECRET}'"),
    forged("REPEAT('x', 20000000)"),
    forged("X'ff00fe'"),
    forged("1e308"),
)
NAMED = (
    Attempt(
        "functions of the server's names",
        tuple(
            f"CREATE FUNCTION `{name}`(x varchar(99)) RETURNS varchar(99) DETERMINISTIC NO SQL"
            f" BEGIN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{TRAP}'; RETURN x; END"
            for name in (
                "concat",
                "length",
                "octet_length",
                "charset",
                "collation",
                "get_lock",
                "is_used_lock",
                "version",
            )
        ),
        asks={"table": "t", "watermark_columns": ["v"]},
    ),
    Attempt(
        "tables of the server's names",
        tuple(
            f"CREATE TABLE `{name}` (x int)"
            for name in ("tables", "columns", "routines", "statistics", "processlist", "views", "user", "dual_")
        ),
        asks={"table": "t", "watermark_columns": ["at"]},
    ),
    Attempt(
        "defaults, triggers, generated columns and comments",
        (
            "CREATE TABLE log (x varchar(9))",
            (
                "ALTER TABLE t ADD g varchar(99) AS (CONCAT(v, '{v}')) VIRTUAL,"
                " COMMENT '\x1b[2J {v} {{ 7 }} '' OR 1 = 1; --'"
            ),
            "CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW INSERT INTO log VALUES ('x')",
        ),
        asks={"table": "t"},
    ),
    Attempt(
        "names that are code",
        (
            (
                "CREATE TABLE n (id int PRIMARY KEY, `a'b` text, `{v}` text, `%s` text, `%(v)s` text, `:v` text"
                ", `?` text, `\x1b[31m` text, `{{ 7 }}` text, `x\ny` text, `a``; DROP TABLE t` text)"
            ),
            "INSERT INTO n VALUES (1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)",
        ),
        asks={"table": "n"},
    ),
)
VALUES = (
    Attempt(
        "values that are code",
        (
            "CREATE TABLE h (id int PRIMARY KEY, v varchar(999) CHARACTER SET utf8mb4)",
            *(
                f"INSERT INTO h VALUES ({at}, CONVERT(X'{one.encode().hex()}' USING utf8mb4))"
                for at, one in enumerate(HOSTILE, 1)
            ),
        ),
        asks={"table": "h", "headers": {"h": "{v}"}, "subject": "{v}"},
        values=HOSTILE,
    ),
)
ATTEMPTS = (*CODE, *ENDLESS, *TOLD, *NAMED, *VALUES)
