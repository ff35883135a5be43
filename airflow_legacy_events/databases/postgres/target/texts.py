r"""Rows as PostgreSQL reads them in bulk: the text form of COPY, and arrays of texts.

Columns are joined and looked at as a whole; values are escaped only where one holds a character that needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Row = Sequence[Any]

CHUNK = 500
"""Rows that are joined at once: they stay in the processor's cache, and no text grows with the batch."""

_NUL = "\0"
_NULL = "\\N"
_ESCAPES = (("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_ESCAPED = re.compile(r"\\(.)")
_MEANT = {written[1]: sign for sign, written in _ESCAPES}


def copied(rows: Sequence[Row]) -> Iterator[bytes]:
    """Yield the text form of COPY, in pieces; values are texts, and None is NULL.

    Raises:
        UnicodeEncodeError: a text has half of a surrogate pair.
    """
    for first in range(0, len(rows), CHUNK):
        yield from joined(lines(list(zip(*rows[first : first + CHUNK], strict=True))))


def joined(written: Sequence[bytes]) -> Iterator[bytes]:
    """Yield lines of COPY in pieces."""
    for first in range(0, len(written), CHUNK):
        yield b"\n".join([*written[first : first + CHUNK], b""])


def lines(columns: Sequence[Sequence[Any]]) -> list[bytes]:
    """Return the line of COPY of each row, without its end.

    Args:
        columns: texts, and None for NULL.

    Raises:
        UnicodeEncodeError: a text has half of a surrogate pair.
    """
    escaped = [_each(one, _escaped, _NULL) for one in columns]
    return list(map(str.encode, map("\t".join, zip(*escaped, strict=True))))


def values(line: bytes) -> list[str | None]:
    """Return the values of a line of COPY."""
    found: Sequence[Any] = line.decode().split("\t")
    if b"\\" not in line:
        return list(found)
    return [None if one == _NULL else _ESCAPED.sub(lambda sign: _MEANT.get(sign[1], sign[1]), one) for one in found]


def array(values: Sequence[str | None]) -> str:
    """Return texts as an array, with None as NULL."""
    return f"{{{','.join(_each(values, _quoted, 'NULL'))}}}"


def arrays(count: int) -> str:
    """Return the SQL of a source with a column for each of so many parameters, which are arrays of texts."""
    each = (f"pg_catalog.unnest(${number}::pg_catalog.text[])" for number in range(1, count + 1))
    return f"ROWS FROM ({', '.join(each)})"


def _escaped(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    for sign, written in _ESCAPES:
        if sign in text:
            text = text.replace(sign, written)
    return text


def _quoted(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if '"' in text:
        text = text.replace('"', '\\"')
    return '"' + text.replace(_NUL, f'"{_NUL}"') + '"'


def _each(values: Sequence[str | None], form: Callable[[str], str], null: str) -> Sequence[str]:
    """Return values in another form, which is made of all of them at once, and None in the form of a NULL."""
    given: Sequence[Any] = values
    try:
        joined = _NUL.join(given)
    except TypeError:  # a NULL
        given = [one for one in values if one is not None]
        joined = _NUL.join(given)
    written = form(joined)
    formed = given if written == joined else written.split(_NUL)
    if len(formed) != len(given):  # a text holds a NUL, which is refused where it is sent
        formed = list(map(form, given))
    if len(given) == len(values):
        return formed
    left = iter(formed)
    return [null if one is None else next(left) for one in values]
