"""Order of the rows: whether the database can sort them, and an index in that order."""

from __future__ import annotations

import logging
import re
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.names import cut
from airflow_legacy_events.core.ports import Database, Reflection
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.sources.selection import Selection

ORDERED = frozenset(
    {
        *(*TEMPORAL, Kind.TIME, Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.SINGLE),
        *(Kind.BOOLEAN, Kind.UUID, Kind.BYTES, Kind.ANY),
    }
)
"""Kinds that every database can order; TEXT is not among them, since its type may have no order in the database."""

_LONGEST_NAME = 31


def check_order(database: Database, what: str, selectable: Any, selection: Selection) -> None:
    """Check that the database can order the columns; it is queried for kinds that leave this open.

    Raises:
        ConfigurationError: names each column that it can't order.
    """
    problems = Problems()
    for column in selection.columns:
        with problems.collect():
            _refuse_unordered(database, what, selectable, column)
    problems.raise_found()


def _refuse_unordered(database: Database, what: str, selectable: Any, column: Column) -> None:
    message = (
        f"column {column.name!r} of {what} is {column.type}, which can't be ordered, so it can't be a watermark or key"
        " column; nothing was read. Choose another column, or CAST it with sql="
    )
    if column.kind is Kind.JSON or not database.ordered(column):
        raise ConfigurationError(message)
    if column.kind in ORDERED:
        return
    one: Any = sa.column(column.name)
    try:
        database.check(sa.select(one).select_from(selectable).order_by(one))
    except ConfigurationError as error:
        raise ConfigurationError(message) from error
    if (why := database.misordered(selectable, column)) is not None:
        raise ConfigurationError(f"column {column.name!r} of {what} {why}")


def advise(log: logging.Logger, database: Database, table: str | None, selection: Selection, found: Reflection) -> None:
    """Warn with a CREATE INDEX statement if no index begins with the first watermark column."""
    names = [column.name for column in selection.columns]
    if found.indexes is None or any(names[0] == index[0] for index in found.indexes):
        return
    log.warning(
        "no index of table %r begins with %r: every page reads and sorts the whole table. CREATE INDEX %s ON %s (%s)",
        table,
        names[0],
        database.quoted(index_name(f"{table}_{names[0]}")),
        spelled(database, found.selectable),
        ", ".join(map(database.quoted, names)),
    )


def index_name(of: str) -> str:
    """Return an index name derived from the indexed columns, short enough for every database."""
    return cut(re.sub(r"\W+", "_", of).lower().strip("_"), _LONGEST_NAME).replace("~", "_")


def spelled(database: Database, selectable: Any) -> str:
    """Return the name of a table as written in a statement for its database."""
    return ".".join(database.quoted(part) for part in (selectable.schema, selectable.name) if part is not None)
