"""Character sets of MySQL and MariaDB: the server would silently send `?` for a character that is not in Unicode."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from MySQLdb.cursors import SSCursor

from airflow_legacy_events.databases.mysql.session import Session, code_of

# Lossless: their text arrives unchanged, or as bytes that the driver refuses.
_COMPLETE = frozenset(
    {"utf8mb4", "utf8mb3", "utf8", "latin1", "ucs2", "utf16", "utf16le", "utf32", "gb18030", "binary"}
)
REMEDY = ("as bytes with sql=: CAST({name} AS BINARY) AS {name}", "Unicode")
"""How to read text that can't be converted to Unicode: `remedy` and `encoding` of `errors.unreadable`."""

_OUT_OF_RANGE = 1690
_FIRST = 1_000
_RAISED = re.compile(r"pow\(1e\+?300,\(?([0-9]+)")


def question(selectable: Any, names: Sequence[str]) -> Any:
    """Return a query for the character set and collation of these columns.

    It returns one row, and reads none of theirs.
    """
    highest: list[Any] = [sa.func.max(sa.column(name)) for name in names]
    found = (ask(one) for one in highest for ask in (sa.func.charset, sa.func.collation))
    return sa.select(*found).select_from(selectable).where(sa.text("1 = 0"))


def doubtful(names: Sequence[str], answer: Sequence[str]) -> list[str]:
    """Return the columns whose character set has characters outside Unicode; `answer` is the result of `question`."""
    return [name for name, charset in zip(names, answer[::2], strict=True) if charset not in _COMPLETE]


def collations(names: Sequence[str], answer: Sequence[str]) -> dict[str, str]:
    """Return the collation of each column; `answer` is the result of `question`."""
    return dict(zip(names, answer[1::2], strict=True))


def guarded(column: Any, at: int) -> Any:
    """Return the text of `column` in Unicode. The statement fails if a character would be lost.

    POW fails as out of range only in a row where it is evaluated. The error contains `at`.
    """
    unicode = sa.func.convert(column.op("USING")(sa.literal_column("utf8mb4")))
    replaced = sa.func.replace(sa.func.replace(unicode, _QUESTION, _NOTHING), _UNKNOWN, _NOTHING)
    whole = sa.func.char_length(sa.func.replace(column, _QUESTION, _NOTHING)) == sa.func.char_length(replaced)
    number: Any = sa.literal_column(str(_FIRST + at)) + sa.literal_column("0") * sa.func.length(column)
    return sa.func.if_(whole, unicode, sa.func.pow(sa.literal_column("1e300"), number))


_QUESTION: Any = sa.literal_column("'?'")
_NOTHING: Any = sa.literal_column("''")
_UNKNOWN: Any = sa.literal_column("_utf8mb4 X'EFBFBD'")


def lost_column(error: BaseException, guards: Mapping[int, str]) -> str | None:
    """Return the column whose guard made a statement fail; None if it failed for another reason.

    Args:
        error: of the server; its text may contain the value.
        guards: the columns by guard number.
    """
    found = _RAISED.search(str(error)) if code_of(error) == _OUT_OF_RANGE else None
    return guards.get(int(found[1]) - _FIRST) if found else None


def unreadable_column(session: Session, statement: str, parameters: Any) -> str | None:
    """Return the first column of a query with text that is not valid UTF-8.

    Args:
        session: a new one that is not used afterwards.
        statement: of the failed read.
        parameters: of the statement.
    """
    session.connection.converter = {}
    with session.connection.cursor(SSCursor) as cursor:
        cursor.execute(statement, parameters)
        names = [field[0] for field in cursor.description]
        while row := cursor.fetchone():
            for name, value in zip(names, row, strict=True):
                try:
                    (value or b"").decode()
                except UnicodeDecodeError:
                    return str(name)
    return None
