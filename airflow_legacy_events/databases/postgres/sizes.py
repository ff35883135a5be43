"""Size guard: the server refuses to send a row that is too large for a message, since libpq would buffer all of it.

The guard is in a page's SELECT, in the first column that allows it. It costs one comparison per column, since the size
of most types is known without decompressing them. The sizes are only summed up if one column exceeds its share. Sizes
are bytes of the text that the server sends; for bytea, of the hex form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.limits import MAX_ROW_BYTES

_SMALL = frozenset({*TEMPORAL, Kind.TIME, Kind.INTEGER, Kind.DECIMAL, Kind.MONEY, Kind.FLOAT, Kind.BOOLEAN, Kind.UUID})
_MEASURED = frozenset({"text", "varchar", "bpchar", "bytea"})
_SHORT_TYPES = frozenset({"name", '"char"', "interval", "inet", "cidr", "macaddr", "macaddr8"})
_DECLARED = re.compile(r"\w+\((\d+)\)")
_SHORT = 1_000
_MARK = "legacy-events-too-large"
_REPORT = re.compile(rf'{_MARK} ([0-9]{{1,18}}(?:,[0-9]{{1,18}})*) (\[(?:".*")?\])"', re.DOTALL)
_COMPRESSION = 200
TELLS_COMPRESSION_SINCE = 140_000
"""First server version with `pg_column_compression`."""

_AS_TEXT, _ARRAY_AS_TEXT = 8, 64
"""Maximum ratio of text size to stored size. A NULL in an array is stored as one bit, and written as four letters and a
comma."""

_MOST_ARGUMENTS = 90
STORED_SMALL = MAX_ROW_BYTES // _COMPRESSION
"""Stored bytes below which a value can't exceed the usual limit: compression saves a factor of about a hundred."""


class Sizes(NamedTuple):
    """Size in bytes of a row that is too large, by column."""

    columns: dict[str, int]

    @property
    def row(self) -> int:
        """Total size of the row."""
        return sum(self.columns.values())


class Bounded(sa.ColumnElement[Any]):
    """A column of a page. `qualified.QualifiedCompiler` puts the row's size guard into one of them.

    Args:
        column: its description.
    """

    __visit_name__ = "bounded"
    inherit_cache = False

    def __init__(self, column: Column) -> None:
        self.column = column


@compiles(Bounded)
def _compile(element: Bounded, compiler: Any, **options: Any) -> str:
    """Compile it; as the bare column if the statement's text is never sent."""
    visit = getattr(compiler, "visit_bounded", None)
    return str(
        compiler.process(sa.column(element.column.name), **options) if visit is None else visit(element, **options)
    )


def bounded_column(column: Column) -> Any:
    """Return a column for a page. The statement fails at a row above the compiler's limit."""
    return Bounded(column).label(column.name)


def guard(columns: Sequence[Column], most: int, *, tells_compression: bool) -> Any:
    """Return an expression that is NULL, or fails at a row above the limit; None if no row can be that large.

    Args:
        columns: of the row.
        most: row size limit in bytes.
        tells_compression: whether the server has `pg_column_compression`.
    """
    wide = [column for column in columns if _is_wide(column)]
    if not wide:
        return None
    share = most // len(wide)
    suspicious = sa.or_(*(_suspicious(column, share, tells_compression=tells_compression) for column in wide))
    sizes: list[Any] = [
        sa.func.coalesce(sa.cast(_size(column), sa.BigInteger), sa.literal_column("0")) for column in wide
    ]
    total, listed = _sum(sizes), [part for size in sizes for part in (",", size)][1:]
    # Casting non-numeric text is the only way to fail inside a SELECT. The server's error contains that text.
    names = json.dumps([column.name for column in wide], ensure_ascii=False)
    report = sa.func.concat(_MARK, " ", _concat(listed), " ", names)
    failing = sa.case((total > _number(most), sa.cast(report, sa.Integer)))
    return sa.case((suspicious, failing))


def _sum(sizes: Sequence[Any]) -> Any:
    """Return the sum as a balanced tree, so that nesting stays shallow."""
    half = len(sizes) // 2
    return sizes[0] if len(sizes) == 1 else _sum(sizes[:half]) + _sum(sizes[half:])


def _concat(parts: Sequence[Any]) -> Any:
    groups = [parts[at : at + _MOST_ARGUMENTS] for at in range(0, len(parts), _MOST_ARGUMENTS)]
    return sa.func.concat(*parts) if len(groups) == 1 else _concat([sa.func.concat(*group) for group in groups])


def too_large_in(message: str, known: Collection[str]) -> Sizes | None:
    """Return the sizes from a server error about a row above the limit; None for any other error.

    Args:
        message: of the server; a function that the query calls may have forged it.
        known: names of the columns; any other name in the message is not a column, and may be a value.
    """
    found = _REPORT.search(message)
    if found is None:
        return None
    try:
        names = json.loads(found[2])
        sizes: list[int] = [int(size) for size in found[1].split(",")]
    except (ValueError, RecursionError):
        return None
    real = len(names) == len(sizes) and all(type(name) is str and name in known for name in names)
    return Sizes(dict(zip(names, sizes, strict=True))) if real and sum(sizes) > 0 else None


def _is_wide(column: Column) -> bool:
    if column.kind in _SMALL or column.type in _SHORT_TYPES:
        return False
    declared = _DECLARED.fullmatch(column.type)  # not an array: its length is an element's
    return declared is None or int(declared[1]) > _SHORT


def _measured(column: Column) -> str | None:
    """Return the type of a column whose size is known without decompression; None for other types."""
    type_ = column.type.partition("(")[0]
    return type_ if type_ in _MEASURED and column.kind is not Kind.ARRAY else None


def _size(column: Column) -> Any:
    """Return the size in bytes of a value's text; for most types the text must be generated."""
    found: Any = sa.column(column.name)
    type_ = _measured(column)
    if type_ is None:
        return sa.func.octet_length(sa.func.concat(found))  # a CAST might be a function of the type's owner
    size = sa.func.octet_length(found)
    return size + size if type_ == "bytea" else size


def _suspicious(column: Column, share: int, *, tells_compression: bool) -> Any:
    """Return a cheap condition that is true for every value whose text exceeds its share."""
    found: Any = sa.column(column.name)
    type_ = _measured(column)
    if type_ is not None:
        return sa.func.octet_length(found) > _number(share // 2 if type_ == "bytea" else share)
    stored = sa.func.pg_column_size(found)
    packed_share = share // _COMPRESSION // (_ARRAY_AS_TEXT if column.kind is Kind.ARRAY else 1)
    if not tells_compression:
        return stored > _number(packed_share)
    packed = sa.func.pg_column_compression(found).is_not(None)
    growth = share // (_ARRAY_AS_TEXT if column.kind is Kind.ARRAY else _AS_TEXT)
    return sa.or_(stored > _number(growth), sa.and_(packed, stored > _number(packed_share)))


def _number(number: int) -> Any:
    return sa.literal_column(str(number))
