"""Types of new columns in PostgreSQL."""

from __future__ import annotations

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.ports.target import NewColumn

_PLAIN = {
    Kind.INTEGER: "bigint",
    Kind.MONEY: "money",
    Kind.FLOAT: "double precision",
    Kind.SINGLE: "real",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.UUID: "uuid",
    Kind.JSON: "jsonb",
    Kind.BYTES: "bytea",
    Kind.ARRAY: "jsonb",
}
_TIMES = {Kind.TIME: "time", Kind.TIMESTAMP: "timestamp", Kind.INSTANT: "timestamptz"}


def type_of(column: NewColumn) -> str:
    """Return the type of a new column, in PostgreSQL's words."""
    kind, scale = column.kind, column.scale
    if kind in _TIMES:
        return _TIMES[kind] if scale is None else f"{_TIMES[kind]}({scale})"
    if kind is Kind.DECIMAL:
        return "numeric" if column.precision is None else f"numeric({column.precision},{scale or 0})"
    if kind in (Kind.TEXT, Kind.ANY):
        return "text" if column.length is None else f"varchar({column.length})"
    return _PLAIN[kind]
