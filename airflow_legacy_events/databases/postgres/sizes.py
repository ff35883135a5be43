"""Size limits: the server refuses to send a row that no message could hold, since libpq would take it whole.

A guard stands in a page's SELECT, in the first column that allows it. It costs a comparison a column, since the bytes
of most types are known without unpacking them. Only where one column takes more than its share all are summed up. Bytes
are those of the text that the server sends, of bytea in hex.
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
"""The first version that has `pg_column_compression`."""

_AS_TEXT, _ARRAY_AS_TEXT = 8, 64
"""How many times as long as a value its text may be; a NULL in an array is one bit, and four letters and a comma."""

_MOST_ARGUMENTS = 90
STORED_SMALL = MAX_ROW_BYTES // _COMPRESSION
"""A value that is stored in fewer bytes is below the usual limit: compression saves a factor of a hundred or so."""


class Sizes(NamedTuple):
    """Bytes of a row that is too large, by column."""

    columns: dict[str, int]

    @property
    def row(self) -> int:
        """Of all of them."""
        return sum(self.columns.values())


class Bounded(sa.ColumnElement[Any]):
    """A column of a page; `qualified.QualifiedCompiler` lets one of them guard the row.

    Args:
        column: what is known of it.
    """

    __visit_name__ = "bounded"
    inherit_cache = False

    def __init__(self, column: Column) -> None:
        self.column = column


@compiles(Bounded)
def _compile(element: Bounded, compiler: Any, **options: Any) -> str:
    """Compile it; for a text that nobody sends the column itself."""
    visit = getattr(compiler, "visit_bounded", None)
    return str(
        compiler.process(sa.column(element.column.name), **options) if visit is None else visit(element, **options)
    )


def bounded_column(column: Column) -> Any:
    """Return a column for a page; the statement fails at a row above the limit of its compiler."""
    return Bounded(column).label(column.name)


def guard(columns: Sequence[Column], most: int, *, tells_compression: bool) -> Any:
    """Return an expression that is NULL, or fails at a row above the limit; None where no row can be so large.

    Args:
        columns: of the row.
        most: bytes.
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
    # A text that is no number: the only way to fail inside a SELECT, and its error holds what is said here.
    names = json.dumps([column.name for column in wide], ensure_ascii=False)
    report = sa.func.concat(_MARK, " ", _concat(listed), " ", names)
    failing = sa.case((total > _number(most), sa.cast(report, sa.Integer)))
    return sa.case((suspicious, failing))


def _sum(sizes: Sequence[Any]) -> Any:
    """Return the sum, written so that it is not as deep as it is long."""
    half = len(sizes) // 2
    return sizes[0] if len(sizes) == 1 else _sum(sizes[:half]) + _sum(sizes[half:])


def _concat(parts: Sequence[Any]) -> Any:
    groups = [parts[at : at + _MOST_ARGUMENTS] for at in range(0, len(parts), _MOST_ARGUMENTS)]
    return sa.func.concat(*parts) if len(groups) == 1 else _concat([sa.func.concat(*group) for group in groups])


def too_large_in(message: str, known: Collection[str]) -> Sizes | None:
    """Return what an error of the server says of a row above the limit; None for any other error.

    Args:
        message: of the server; a function that is read may have made it up.
        known: names that columns have; what else is named is none, and may be a value.
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
    declared = _DECLARED.fullmatch(column.type)  # not of an array: its length is that of an element
    return declared is None or int(declared[1]) > _SHORT


def _measured(column: Column) -> str | None:
    """Return the type of a column whose bytes are known without unpacking them; None for others."""
    type_ = column.type.partition("(")[0]
    return type_ if type_ in _MEASURED and column.kind is not Kind.ARRAY else None


def _size(column: Column) -> Any:
    """Return the bytes of a value's text; of most types the text must be made for that."""
    found: Any = sa.column(column.name)
    type_ = _measured(column)
    if type_ is None:
        return sa.func.octet_length(sa.func.concat(found))  # a CAST might be a function of the type's owner
    size = sa.func.octet_length(found)
    return size + size if type_ == "bytea" else size


def _suspicious(column: Column, share: int, *, tells_compression: bool) -> Any:
    """Return a cheap condition that holds for every value whose text is larger than its share."""
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
