"""Rows without a position in the order: a NULL in a watermark or key column."""

from __future__ import annotations

from airflow_legacy_events.core.columns import Column, Shape
from airflow_legacy_events.core.errors import ConfigurationError


def without_place(what: str, column: Column, shape: Shape, remedy: str | None) -> ConfigurationError:
    """Return the error for a NULL in a column of the position.

    Args:
        what: the table or query.
        column: that holds it.
        shape: of the rows.
        remedy: for such a row; None: the one for a query.
    """
    return ConfigurationError(
        f"column {column.name!r} of {what} is a watermark or key column and is NULL in at least one row, which could"
        " never be delivered in order; nothing was read. Fill the column, choose another one,"
        f" {remedy if remedy is not None else _remedy(column, shape)}"
    )


def _remedy(column: Column, shape: Shape) -> str:
    if column.name in shape.named(shape.key):
        return f"or leave those rows out with sql= and WHERE {column.name} IS NOT NULL"
    return "or choose with null_watermark= what happens to those rows: 'skip', 'first_run_only' or 'always'"
