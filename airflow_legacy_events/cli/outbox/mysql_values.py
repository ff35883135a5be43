"""Values of MariaDB and MySQL as JSON and as texts, within a trigger."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_legacy_events.cli.outbox.quoting import mysql_literal, quoted
from airflow_legacy_events.core.columns import Column, Kind

# UNIX_TIMESTAMP needs no time zone tables. It is 0 for a zero date, or NULL on MariaDB.
_INSTANT = (
    "COALESCE(CASE WHEN UNIX_TIMESTAMP({0}) <> 0 THEN CONCAT(REPLACE(CAST(TIMESTAMPADD(MICROSECOND,"
    " UNIX_TIMESTAMP({0}) * 1000000, '1970-01-01 00:00:00.000000') AS CHAR), ' ', 'T'), 'Z') END,"
    " REPLACE(CAST({0} AS CHAR), ' ', 'T'))"
)
_TEXTS = {
    Kind.DECIMAL: "CAST({0} AS CHAR)",
    Kind.DATE: "CAST({0} AS CHAR)",
    Kind.TIME: "CAST({0} AS CHAR)",
    Kind.UUID: "CAST({0} AS CHAR)",
    Kind.TIMESTAMP: "REPLACE(CAST({0} AS CHAR), ' ', 'T')",
    Kind.INSTANT: _INSTANT,
    Kind.BYTES: "CONVERT(REPLACE(TO_BASE64({0}), CHAR(10), '') USING utf8mb4)",
    Kind.TEXT: "CONVERT({0} USING utf8mb4)",
}


def payload_of(row: str, columns: Sequence[Column]) -> str:
    """Return the JSON object of the columns of `OLD` or `NEW`."""
    return "JSON_OBJECT(" + ", ".join(f"{mysql_literal(one.name)}, {_value(row, one)}" for one in columns) + ")"


def key_of(row: str, key: Sequence[Column]) -> str:
    """Return the text of a key; a JSON array of texts, without blanks, if it has several columns."""
    if len(key) == 1:
        return _text(row, key[0])
    return "CONCAT('[', " + ", ',', ".join(f"JSON_QUOTE({_text(row, one)})" for one in key) + ", ']')"


def _value(row: str, column: Column) -> str:
    field = f"{row}.{quoted(column.name, sign='`')}"
    if column.type in {"bit", "year"} or column.type.endswith("zerofill"):
        return f"{field} + 0"
    if column.kind in (Kind.FLOAT, Kind.SINGLE):
        return f"{field} * 1e0"  # the double of the same value
    if column.type == "geometry":
        field = f"SUBSTR(CAST({field} AS BINARY), 5)"  # without the SRID
    return _TEXTS.get(column.kind, "{0}").format(field)


def _text(row: str, column: Column) -> str:
    value = _value(row, column)
    if column.kind in {Kind.TEXT, Kind.BYTES} and column.type != "bit":
        return value
    return f"CONVERT({value} USING utf8mb4)"
