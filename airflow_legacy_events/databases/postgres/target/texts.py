r"""Rows as PostgreSQL reads them in bulk: the text form of COPY, and arrays of texts.

A batch is joined once and looked at as a whole; values are escaped only where it holds a character that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

Row = Sequence[Any]

CHUNK = 500
"""Rows that are joined at once: they stay in the processor's cache, and no text grows with the batch."""

_NUL = "\0"
_NULL = "\\N"


def copied(rows: Sequence[Row]) -> Iterator[bytes]:
    """Yield the text form of COPY, in pieces; values are texts, and None is NULL.

    Raises:
        UnicodeEncodeError: a text has half of a surrogate pair.
    """
    for first in range(0, len(rows), CHUNK):
        yield _copied(rows[first : first + CHUNK])


def array(values: Sequence[str | None]) -> str:
    """Return texts as an array, with None as NULL."""
    texts = ["NULL" if one is None else one for one in _each(values, _quoted)]
    return f"{{{','.join(texts)}}}"


def arrays(count: int) -> str:
    """Return the SQL of a source with a column for each of so many parameters, which are arrays of texts."""
    each = (f"pg_catalog.unnest(${number}::pg_catalog.text[])" for number in range(1, count + 1))
    return f"ROWS FROM ({', '.join(each)})"


def _copied(rows: Sequence[Row]) -> bytes:
    try:
        text = "\n".join(["\t".join(row) for row in rows])
    except TypeError:  # a NULL
        text = ""
    if not text or not _is_plain(text, len(rows), len(rows[0])):
        columns = [_column(one) for one in zip(*rows, strict=True)]
        text = "\n".join(map("\t".join, zip(*columns, strict=True)))
    return f"{text}\n".encode()


def _is_plain(text: str, rows: int, columns: int) -> bool:
    """Return whether no value holds a character that COPY gives a meaning."""
    plain = "\\" not in text and "\r" not in text and text.count("\n") == rows - 1
    return plain and text.count("\t") == rows * (columns - 1)


def _column(values: Sequence[str | None]) -> Sequence[Any]:
    found = _each(values, _escaped)
    return [_NULL if one is None else one for one in found] if None in found else found


def _escaped(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    for sign, written in (("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        if sign in text:
            text = text.replace(sign, written)
    return text


def _quoted(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if '"' in text:
        text = text.replace('"', '\\"')
    return '"' + text.replace(_NUL, f'"{_NUL}"') + '"'


def _each(values: Sequence[str | None], form: Callable[[str], str]) -> Sequence[str | None]:
    """Return values in another form, which is made of all of them at once."""
    given: Sequence[Any] = values if None not in values else [one for one in values if one is not None]
    joined = _NUL.join(given)
    written = form(joined)
    if not given or written == joined:
        return values
    formed: list[Any] = written.split(_NUL)
    if len(formed) != len(given):  # a text holds a NUL, which is refused where it is sent
        formed = list(map(form, given))
    if len(given) == len(values):
        return formed
    left = iter(formed)
    return [None if one is None else next(left) for one in values]
