"""Result shape check: a driver's column description against the columns that rows are read as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.errors import SchemaChangedError
from airflow_legacy_events.databases.generic.kinds import kind_of_code

_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN})
_TIMES = frozenset({*TEMPORAL, Kind.TIME})
_TEXTS = frozenset({Kind.TEXT, Kind.BYTES})  # MySQL's driver can't tell long text from bytes


def columns_of(
    dbapi: Any, names: Sequence[str], described: Sequence[Sequence[Any]]
) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Return the columns of a query that can be carried, and the names and types of those that can't.

    Args:
        dbapi: the driver's module.
        names: of the result's columns.
        described: PEP 249's description of them.
    """
    columns, refused = [], {}
    for name, one in zip(names, described, strict=True):
        kind = kind_of_code(dbapi, one)
        type_ = getattr(one[1], "__name__", None) or str(one[1])
        if kind is None:
            refused[name] = type_
        else:
            columns.append(Column(name, kind, type_))
    return tuple(columns), refused


class Shapes:
    """Compares each page's description with that of the last page for the same columns.

    The inspector and a driver name types differently. So the first page is compared by the kinds that its driver
    reports with certainty, and every later one by the driver's own codes.

    Args:
        conn_id: Airflow's name of the connection, for messages.
        dbapi: the driver's module.
    """

    def __init__(self, conn_id: str, dbapi: Any) -> None:
        self._conn_id, self._dbapi = conn_id, dbapi
        self._codes: dict[tuple[Column, ...], list[Any]] = {}

    def check(self, expected: Sequence[Column], names: Sequence[str], described: Sequence[Sequence[Any]]) -> None:
        """Check that a result has the columns of `expected`.

        Args:
            expected: the columns.
            names: of the result's columns.
            described: PEP 249's description of them.

        Raises:
            SchemaChangedError: naming the first column that differs.
        """
        if list(names) != [column.name for column in expected]:
            raise self._changed(f"columns {', '.join(map(repr, names))} were returned instead of those found before")
        codes = [one[1] for one in described]
        before = self._codes.get(tuple(expected))
        self._codes[tuple(expected)] = codes
        if before is None:
            for column, one in zip(expected, described, strict=True):
                if not _may_be(kind_of_code(self._dbapi, one), column.kind):
                    raise self._changed(f"column {column.name!r} was {column.type}, found was {_named(one[1])}")
            return
        for column, was, now in zip(expected, before, codes, strict=True):
            if was != now and None not in (was, now):
                raise self._changed(f"column {column.name!r} was {_named(was)}, found was {_named(now)}")

    def _changed(self, what: str) -> SchemaChangedError:
        return SchemaChangedError(
            f"connection {self._conn_id!r}: {what}, while the rows were read; no row of the page was sent"
        )


def _may_be(found: Kind | None, wanted: Kind) -> bool:
    """Return False if a driver's kind certainly differs from the column's: a driver never reports text for a number."""
    if wanted in _NUMBERS:
        return found not in _TEXTS
    return wanted not in _TEXTS or found not in _NUMBERS | _TIMES


def _named(code: Any) -> str:
    return getattr(code, "__name__", None) or getattr(code, "name", None) or str(code)
