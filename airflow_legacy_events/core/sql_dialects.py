"""Dialects: the readings of a SQL text that a database, or one of its sessions, may have."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from airflow_legacy_events.core.sql_readings import Reading

_EITHER = (False, True)
_TELLING = {
    "backslash": re.compile(r"\\"),
    "brackets": re.compile(r"\["),
    "backticks": re.compile(r"`"),
    "own_quotes": re.compile(r"[qQ]'"),
    "dollars": re.compile(r"\$"),
    "escapes": re.compile(r"[eE]'.*\\", re.DOTALL),
    "apart": re.compile(r"\d\w*[$']"),
    "hashes": re.compile(r"\#"),
    "loose": re.compile(r"--[^\x00-\x20\x7f]"),
    "returns": re.compile(r"\r(?!\n)"),
    "nests": re.compile(r"/\*.*/\*", re.DOTALL),
    "executes": re.compile(r"/\*M?!"),
}
"""Where a text holds nothing like it, all the ways of that kind are one."""


@dataclass(frozen=True)
class Dialect:
    """What of `Reading` is possible: for each of its attributes the values, by default all that any database has."""

    backslash: tuple[str, ...] = ("", "'", "'\"")
    brackets: tuple[str, ...] = ("", "plain", "doubled")
    backticks: tuple[bool, ...] = _EITHER
    own_quotes: tuple[bool, ...] = _EITHER
    dollars: tuple[bool, ...] = _EITHER
    escapes: tuple[bool, ...] = _EITHER
    apart: tuple[bool, ...] = _EITHER
    hashes: tuple[bool, ...] = _EITHER
    loose: tuple[bool, ...] = (True, False)
    returns: tuple[bool, ...] = _EITHER
    nests: tuple[str, ...] = ("no", "once", "all")
    executes: tuple[bool, ...] = _EITHER

    def readings(self, sql: str) -> Iterator[Reading]:
        """Yield the readings that may differ for a text; its first ones are the usual ones."""
        values = (getattr(self, name)[: None if telling.search(sql) else 1] for name, telling in _TELLING.items())
        for one in itertools.product(*values):
            yield Reading(*one)


UNKNOWN = Dialect()
"""Of which nothing is known: every reading is possible."""

POSTGRES = Dialect(
    backslash=("",),
    brackets=("",),
    backticks=(False,),
    own_quotes=(False,),
    dollars=(True,),
    escapes=(True,),
    hashes=(False,),
    loose=(True,),
    returns=(True,),
    nests=("all",),
    executes=(False,),
)
"""PostgreSQL with standard_conforming_strings; releases differ in where a number ends."""

MYSQL = Dialect(
    brackets=("",),
    backticks=(True,),
    own_quotes=(False,),
    escapes=(False,),
    apart=(False,),
    hashes=(True,),
    loose=(False,),
    returns=(False,),
    nests=("once",),
)
"""MariaDB and MySQL in any sql_mode; whether `/*!50701 x */` is SQL depends on the release."""

SQLITE = Dialect(
    backslash=("",),
    brackets=("plain",),
    backticks=(True,),
    own_quotes=(False,),
    dollars=(False,),
    escapes=(False,),
    apart=(False,),
    hashes=(False,),
    loose=(True,),
    returns=(False,),
    nests=("no",),
    executes=(False,),
)
"""SQLite."""

FIREBIRD = replace(SQLITE, brackets=("",), backticks=(False,), own_quotes=(True,))
"""Firebird, as all its drivers send statements."""

ORACLE = FIREBIRD
"""Oracle."""

SQL_SERVER = replace(SQLITE, brackets=("doubled",), backticks=(False,), returns=_EITHER, nests=("all",))
"""SQL Server."""


def for_comparison(dialect: Dialect) -> Dialect:
    """Return the readings in which two texts are compared: no setting of a session counts, and a comment is one.

    Where it may be executed it is none. Whether `#`, or `--` without a blank, begins one is what is usual.
    """
    executes = True in dialect.executes
    return replace(
        dialect,
        backslash=UNKNOWN.backslash if executes else dialect.backslash,
        hashes=dialect.hashes[:1],
        loose=dialect.loose[:1],
        executes=(executes,),
    )
