"""SQL dialects: the ways in which a database, or one of its sessions, may read a SQL text."""

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
"""If a text has no match for a pattern, all values of that attribute are equivalent."""


@dataclass(frozen=True)
class Dialect:
    """Possible readings: the values of each attribute of `Reading`, by default those of all databases."""

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
        """Yield the readings that may differ for a text; the most common ones come first."""
        values = (getattr(self, name)[: None if telling.search(sql) else 1] for name, telling in _TELLING.items())
        for one in itertools.product(*values):
            yield Reading(*one)


UNKNOWN = Dialect()
"""Unknown database: every reading is possible."""

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
    """Return the dialect for comparing two texts: session settings don't count, and comments are comments.

    A comment that may be executed is not a comment. For `#`, and for `--` without a blank, the database's default
    decides whether it begins one.
    """
    executes = True in dialect.executes
    return replace(
        dialect,
        backslash=UNKNOWN.backslash if executes else dialect.backslash,
        hashes=dialect.hashes[:1],
        loose=dialect.loose[:1],
        executes=(executes,),
    )
