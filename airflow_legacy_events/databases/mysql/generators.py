"""Generated column values in MySQL and MariaDB: AUTO_INCREMENT, and sequences as defaults."""

from __future__ import annotations

from airflow_legacy_events.core.ports import NextId
from airflow_legacy_events.databases.mysql.catalog import TableRow, find_table
from airflow_legacy_events.databases.mysql.session import Session

KEPT_SINCE = {True: (10, 2, 4), False: (8,)}
"""First releases whose AUTO_INCREMENT counter survives a restart; the key is whether the server is MariaDB."""

_COUNTER = """
SELECT t.auto_increment, t.engine, c.extra, c.column_default
  FROM information_schema.tables t JOIN information_schema.columns c
 WHERE t.table_schema = %s AND t.table_name = %s AND c.table_schema = %s AND c.table_name = %s AND c.column_name = %s
"""


def read_next_id(session: Session, table: str, column: str) -> NextId:
    """Return the next value of a column's generator.

    The number is current, see `Session.read_only`. Releases that lose it in a restart continue from the highest row, so
    IDs of deleted newest rows are reused. A session with a larger increment may skip numbers. After a return to a
    smaller one, old releases may hand out some of those. No number is handed out twice.
    """
    row = find_table(session, table)
    found = session.rows(_COUNTER, row.schema, row.name, row.schema, row.name, column)
    if row.is_view or not found:
        return NextId()
    number, engine, extra, default = found[0]
    if "auto_increment" not in str(extra).lower():
        return NextId(unknown=_sequence(column, default) if _is_sequence(default) else None)
    if number is not None:
        forgets = engine == "InnoDB" and session.version < KEPT_SINCE[session.mariadb]
        return NextId(int(number), returns=forgets and _counts_from_rows(session, row, column, int(number)))
    if engine == "InnoDB" and not session.mariadb:  # MySQL 8 and later, for a table with no counter yet
        return NextId(1)
    return NextId(unknown=f"engine {engine} does not report the next AUTO_INCREMENT value of {column}")


def _counts_from_rows(session: Session, row: TableRow, column: str, number: int) -> bool:
    schema, table, name = (one.replace("`", "``") for one in (row.schema, row.name, column))
    [(highest,)] = session.rows(f"SELECT MAX(`{name}`) FROM `{schema}`.`{table}`")  # noqa: S608  quoted names
    return number == int(highest or 0) + 1


def _is_sequence(default: str | None) -> bool:
    return str(default).lower().startswith(("nextval(", "(nextval("))


def _sequence(column: str, default: str) -> str:
    return (
        f"the values of {column} come from {default}, and servers reserve numbers of a sequence in advance, so its next"
        " value is not known"
    )
