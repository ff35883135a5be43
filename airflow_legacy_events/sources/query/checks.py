"""Checks before the first read, beside those of column names: options, order, index."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Database, Reflection
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.sources.selection import Selection

ORDERED = frozenset(
    {*TEMPORAL, Kind.TIME, Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN, Kind.UUID, Kind.BYTES, Kind.ANY}
)
"""Kinds that every database orders; what is text here may be of a type that has no order there."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def check_options(lag: dt.timedelta, in_bulk: Mapping[str, bool]) -> None:
    """Check that the lag is not negative, and that a full load has no options of an incremental run.

    Args:
        lag: as the user gave it.
        in_bulk: the options that have no meaning there, empty where there are watermark columns; true where given.

    Raises:
        ConfigurationError: naming each option.
    """
    if lag < dt.timedelta(0):
        raise ConfigurationError(f"lag={lag} is negative: it only holds back; nothing was read. Give 0 or more")
    if names := [name for name, value in in_bulk.items() if value]:
        raise ConfigurationError(
            f"{'= and '.join(names)}= was given with watermark_columns=[]: a full load has no watermark to hold back,"
            " cut or begin at; nothing was read. Leave it out, or name watermark_columns"
        )


def check_lag(lag: dt.timedelta, first: Column) -> None:
    """Check that a lag is given only with a time column.

    Raises:
        ConfigurationError: naming the column.
    """
    if lag > dt.timedelta(0) and first.kind not in TEMPORAL:
        raise ConfigurationError(
            f"lag={lag} was asked for, but the first watermark column {first.name!r} is {first.type}, no time;"
            " nothing was read. Leave lag= out or watermark by a time column"
        )


def refuse_endless(what: str, first: Column, text: str) -> None:
    """Check that a watermark is no infinity or NaN: no later row would sort above it, so the stream would end unseen.

    Raises:
        ConfigurationError: naming the column.
    """
    if first.kind in (Kind.FLOAT, Kind.DECIMAL) and text.lower() in ("nan", "inf", "infinity"):
        raise ConfigurationError(
            f"watermark column {first.name!r} of {what} is infinite or NaN in at least one row, and no later row could"
            " lie above that; nothing was read. Correct that row, leave it out with sql= and a WHERE, or choose another"
            " column"
        )


def check_order(database: Database, what: str, selectable: Any, selection: Selection) -> None:
    """Check that the database can order the columns; it is asked where a kind leaves that open.

    Raises:
        ConfigurationError: naming each column that it can't order.
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


def advise(log: logging.Logger, table: str | None, selection: Selection, found: Reflection) -> None:
    """Warn with a CREATE INDEX statement where no index begins with the first watermark column."""
    names = [column.name for column in selection.columns]
    if found.indexes is None or any(names[0] == index[0] for index in found.indexes):
        return
    log.warning(
        "no index of table %r begins with %r: every page reads and sorts the whole table. CREATE INDEX %s ON %s (%s)",
        table,
        names[0],
        _quoted(re.sub(r"\W+", "_", f"{table}_{names[0]}").lower().strip("_")),
        table,
        ", ".join(map(_quoted, names)),
    )


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
