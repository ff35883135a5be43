"""Row versions in PostgreSQL: the system column xmin, the ID of the transaction that last wrote the row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.databases.conditions import bound
from airflow_legacy_events.databases.postgres.qualified import ArrayOf

VERSION = Column("xmin", Kind.INTEGER, "xid", nullable=False)


_SEEN = "legacy_events_seen"


def unchanged(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], versions: Sequence[int], among: Callable[..., Any]
) -> Any:
    """Return the condition of `core.ports.Database.unchanged`, written so that an index on the columns serves it.

    If a single transaction wrote all rows, its ID is compared once.
    """
    if not rows:
        return sa.false()
    if len(set(versions)) > 1 or len(columns) > 1:  # planning row values takes ten times as long
        return _seen(columns, rows, versions)
    return sa.and_(_rows(columns[0], rows, among), sa.column(VERSION.name) == bound(str(versions[0])))


def _seen(columns: Sequence[Column], rows: Sequence[Sequence[str]], versions: Sequence[int]) -> Any:
    """Return the condition as a semi-join with arrays of rows and versions: xid has no order for row values."""
    texts = [*zip(*rows, strict=True), list(map(str, versions))]
    compared = (*columns, VERSION)
    arrays = [_array(values, one) for values, one in zip(texts, compared, strict=True)]
    names = [f"{_SEEN}_{at}" for at in range(len(compared))]
    seen: Any = sa.func.unnest(*arrays).table_valued(*names, name=_SEEN).render_derived()
    same = (sa.column(one.name) == seen.c[name] for one, name in zip(compared, names, strict=True))
    return sa.exists(sa.select(sa.literal_column("1")).select_from(seen).where(*same))


def _rows(column: Column, rows: Sequence[Sequence[str]], among: Callable[..., Any]) -> Any:
    named: Any = sa.column(column.name)
    if column.kind is Kind.INTEGER:
        numbers = {int(row[0]) for row in rows}
        if max(numbers) - min(numbers) == len(numbers) - 1:
            return named.between(bound(str(min(numbers))), bound(str(max(numbers))))
    return among([named], rows)


def _array(texts: Sequence[str], column: Column) -> Any:
    """Return the texts as an array. Numbers are passed as one text, since the driver inspects each list element."""
    numbers = column.kind is Kind.INTEGER
    written = "{" + ",".join(map(str, map(int, texts))) + "}" if numbers else list(texts)
    return sa.cast(bound(written), ArrayOf(column.name, column.type))
