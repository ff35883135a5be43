"""What a hostile owner of a SQLite file, and of its folder, does."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.attempts.attempt import EITHER, HOSTILE, Attempt

SOON = {"statement_timeout": dt.timedelta(seconds=1)}
TABLE = {"table": "t"}
REFUSED = "refused the query|failed while|not authorized"
MANY = "WITH RECURSIVE r (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM r) SELECT id, 'x' AS v FROM r"


def lock_file(place: Any) -> Path:
    """Where the stream's lock file lies."""
    with place.locked():
        [found] = place.file.parent.glob("*.lock")
    found.unlink()
    return Path(found)


def beside(name: str, plant: Callable[[Path, Any], Any]) -> Callable[[Any], Any]:
    """Plants something under the name of one of SQLite's own files."""
    return lambda place: plant(place.file.with_name(place.file.name + name), place)


def instead(plant: Callable[[Path, Any], Any]) -> Callable[[Any], Any]:
    """Plants something under the name of the database."""

    def planted(place: Any) -> None:
        place.file.unlink()
        plant(place.file, place)

    return planted


def collated(place: Any) -> None:
    """A table whose texts sort as only its application knows."""
    with place.owner() as owner:
        owner.create_collation("odd", lambda a, b: (a > b) - (a < b))
        owner.execute("CREATE TABLE c (id integer PRIMARY KEY, v text COLLATE odd NOT NULL UNIQUE)")


def corrupted(place: Any) -> None:
    """Bytes in the middle are others."""
    data = bytearray(place.file.read_bytes())
    data[4096:4300] = b"\xff" * 204
    place.file.write_bytes(data)


def schema_of_its_own(text: str) -> tuple[str, ...]:
    """The catalog holds a text that SQLite did not write."""
    return ("PRAGMA writable_schema = ON", "UPDATE sqlite_master SET sql = " + text + " WHERE name = 't'")


@contextlib.contextmanager
def locked(place: Any) -> Iterator[None]:
    """The owner writes for as long as the run works."""
    with place.owner() as owner:
        owner.execute("BEGIN EXCLUSIVE")
        yield


LINKS = {
    "a link": lambda path, place: path.symlink_to(place.precious),
    "a link to nothing": lambda path, place: path.symlink_to(place.precious.with_name("nothing")),
    "a second name": lambda path, place: path.hardlink_to(place.precious),
    "a pipe": lambda path, _: os.mkfifo(path),
    "a folder": lambda path, _: path.mkdir(),
    "a device": lambda path, _: path.symlink_to("/dev/zero"),
}
FILES = (
    *(
        Attempt(f"{what} as the lock file", (lambda place, plant=plant: plant(lock_file(place), place),), "lock", TABLE)
        for what, plant in LINKS.items()
    ),
    *(
        Attempt(f"{what} as SQLite's own file {name}", (beside(name, plant),), EITHER, {**TABLE, **SOON})
        for name in ("-journal", "-wal", "-shm")
        for what, plant in LINKS.items()
        if name == "-journal" or what in ("a link", "a pipe")
    ),
    *(
        Attempt(f"{what} as the database", (instead(plant),), "does not exist|not a database|failed while", TABLE)
        for what, plant in LINKS.items()
    ),
    Attempt("a database whose bytes are others", (corrupted,), EITHER, TABLE),
    Attempt(
        "a catalog that is no SQL", schema_of_its_own("'CREATE TABLE t (id integer primary key, v'"), REFUSED, TABLE
    ),
    Attempt(
        "a catalog that calls another table",
        schema_of_its_own("'CREATE TABLE t (id integer primary key, v text, at timestamp, x text)'"),
        EITHER,
        TABLE,
    ),
    Attempt("a file that its owner writes to", (), "locked|busy|timeout", {**TABLE, **SOON}, locked),
)
CODE = (
    Attempt("a view loads code", ("CREATE VIEW v AS SELECT id, load_extension('/tmp/x.so') AS v FROM t",), REFUSED),
    Attempt("a view of a pragma", ("CREATE VIEW v AS SELECT 1 AS id, name AS v FROM pragma_database_list",), EITHER),
    Attempt(
        "a view of a pragma that writes", ("CREATE VIEW v AS SELECT 1 AS id, * FROM pragma_user_version(7)",), EITHER
    ),
    Attempt(
        "triggers of a view and a table",
        (
            "CREATE VIEW v AS SELECT id, v FROM t",
            "CREATE TABLE log (x)",
            "CREATE TRIGGER a INSTEAD OF INSERT ON v BEGIN INSERT INTO log VALUES (1); END",
            "CREATE TRIGGER b AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (1); END",
        ),
    ),
    Attempt(
        "a view of itself",
        (
            "CREATE VIEW w AS SELECT 1 AS id, 2 AS v",
            "CREATE VIEW v AS SELECT * FROM w",
            "DROP VIEW w",
            "CREATE VIEW w AS SELECT * FROM v",
        ),
        REFUSED,
    ),
    Attempt("an endless view", (f"CREATE VIEW v AS {MANY}",), "timeout", SOON),
    Attempt("an endless count", (f"CREATE VIEW v AS SELECT count(*) AS id, 'x' AS v FROM ({MANY})",), "timeout", SOON),
    Attempt(
        "a value of a gigabyte", ("CREATE VIEW v AS SELECT id, zeroblob(1000000000) AS v FROM t",), "larger|a row of"
    ),
    Attempt(
        "a row of 30 MB",
        ("CREATE VIEW v AS SELECT id, randomblob(9999999) AS v, zeroblob(9999999) AS w, v AS x FROM t",),
        "a row of|larger",
    ),
    Attempt(
        "texts that are no UTF-8", ("CREATE VIEW v AS SELECT id, CAST(x'ff00fe' AS text) AS v FROM t",), "UTF-8|can't"
    ),
    Attempt("an unknown function", ("CREATE VIEW v AS SELECT id, told(v) AS v FROM t",), REFUSED),
    Attempt("an unknown collation", (collated,), EITHER, {"table": "c", "watermark_columns": ["v"]}),
)
VALUES = (
    Attempt(
        "values that are code",
        (
            "CREATE TABLE h (id integer PRIMARY KEY, v text)",
            *(f"INSERT INTO h (v) VALUES ('{one.replace(chr(39), 2 * chr(39))}')" for one in HOSTILE),
        ),
        asks={"table": "h", "headers": {"h": "{v}"}, "subject": "{v}"},
        values=HOSTILE,
    ),
    Attempt(
        "names that are code",
        (
            (
                'CREATE TABLE n (id integer PRIMARY KEY, "a\'b" text, "{v}" text, "%s" text, ":v" text, "?1" text,'
                ' "\x1b[31m" text, "x\ny" text, "`; DROP TABLE t" text)'
            ),
            "INSERT INTO n VALUES (1, 1, 2, 3, 4, 5, 6, 7, 8)",
        ),
        asks={"table": "n"},
    ),
)
ATTEMPTS = (*FILES, *CODE, *VALUES)
