"""Firebird as the tests' application sees it: the SQL that all tests share, spelled as Firebird has it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from tests.services import firebird

_QUOTED = re.compile(r"""((?s:'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/))""")
_WORDS = (
    (re.compile(r"\b(at|day)\b"), r'"\1"'),
    (re.compile(r"(\w+) % (\d+)"), r"MOD(\1, \2)"),
    (re.compile(r"\b(ADD|DROP) COLUMN\b"), r"\1"),
    (re.compile(r"\bRENAME COLUMN\b"), "ALTER COLUMN"),
    (re.compile(r"\) STORED\b"), ")"),
)
_NEXT_ROW = re.compile(r"\)\s*,\s*\(")
_ROWS = re.compile(r"(?is)(INSERT INTO .*? VALUES )\((.*)\)")


class Found(NamedTuple):
    """What a statement gave."""

    description: Any
    rows: list[tuple[Any, ...]]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows


class Application:
    """An autocommitting connection.

    The type `text` is a domain; AT and DAY are reserved words; there is no operator `%`, no second row in an INSERT;
    a generated column is never stored; ALTER TABLE has words of its own.
    """

    def __init__(self, path: Path, *, new: bool = False) -> None:
        self._connection = firebird.create(path) if new else firebird.connect(path)
        if new:
            self.execute("CREATE DOMAIN text AS VARCHAR(300) CHARACTER SET UTF8")

    def execute(self, statement: str, parameters: tuple[Any, ...] = ()) -> Found:
        found = Found(None, [])
        for one in _singly(spelled(statement)):
            cursor = self._connection.cursor()
            cursor.execute(one, parameters or None)
            found = Found(cursor.description, cursor.fetchall() if cursor.description else [])
            cursor.close()
            self._connection.commit()
        return found

    def close(self) -> None:
        self._connection.close()


def spelled(statement: str) -> str:
    """A statement in Firebird's words; times keep the four digits that it has."""
    return "".join(_quoted(part) if at % 2 else _plain(part) for at, part in enumerate(_QUOTED.split(statement)))


def _plain(part: str) -> str:
    for pattern, here in _WORDS:
        part = pattern.sub(here, part)
    return part


def _quoted(part: str) -> str:
    return re.sub(r"(:\d\d\.\d{4})\d+", r"\1", part)


def _singly(statement: str) -> list[str]:
    rows = _ROWS.fullmatch(statement.strip())
    if rows is None:
        return [statement]
    parts = _QUOTED.split(rows[2])
    marked = "".join(part if at % 2 else _NEXT_ROW.sub("\0", part) for at, part in enumerate(parts))
    return [f"{rows[1]}({one})" for one in marked.split("\0")]
