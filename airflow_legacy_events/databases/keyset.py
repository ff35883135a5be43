"""Keyset conditions without row values, for databases that lack them or can't use an index for them.

`(a, b, c) > (x, y, z)` is written as

    a >= x AND (a > x OR (a = x AND b >= y AND (b > y OR (b = y AND c > z))))

The first comparison at each depth is implied by the rest. It gives the index range scan its bound; the alternatives
after it only filter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa


def beyond(columns: Sequence[Any], values: Sequence[Any], *, inclusive: bool = False) -> Any:
    """Return the condition `(columns) > (values)`, or `>=`.

    Args:
        columns: one or more SQLAlchemy columns, none of them NULL in any row.
        values: one bound value per column, each in a form that compares like the column's own values.
        inclusive: whether rows equal to `values` are included.
    """
    first, value = columns[0], values[0]
    if len(columns) == 1:
        return first >= value if inclusive else first > value
    rest = beyond(columns[1:], values[1:], inclusive=inclusive)
    return sa.and_(first >= value, sa.or_(first > value, sa.and_(first == value, rest)))


def until(columns: Sequence[Any], values: Sequence[Any]) -> Any:
    """Return the condition `(columns) <= (values)`; arguments as in `beyond`."""
    first, value = columns[0], values[0]
    if len(columns) == 1:
        return first <= value
    rest = until(columns[1:], values[1:])
    return sa.and_(first <= value, sa.or_(first < value, sa.and_(first == value, rest)))


def among(columns: Sequence[Any], rows: Sequence[Sequence[Any]], bound: Callable[[Any], Any]) -> Any:
    """Return the condition that `(columns)` is one of `rows`, without row values.

    Rows that differ only in their last value share one alternative, with an IN list of those values.

    Args:
        columns: one or more SQLAlchemy columns.
        rows: each with one value per column; if empty, no row meets the condition.
        bound: returns the parameter or literal of a value.
    """
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        groups.setdefault(tuple(row[:-1]), []).append(row[-1])
    *leading, last = columns
    alternatives = []
    for first, values in groups.items():
        equal = (column == bound(value) for column, value in zip(leading, first, strict=True))
        alternatives.append(sa.and_(*equal, last.in_(list(map(bound, values)))))
    return sa.or_(sa.false(), *alternatives)
