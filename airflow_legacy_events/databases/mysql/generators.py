"""Generators of a column's values in MySQL and MariaDB: AUTO_INCREMENT, and sequences as defaults."""

from __future__ import annotations

from airflow_legacy_events.core.ports import NextId
from airflow_legacy_events.databases.mysql.catalog import find_table
from airflow_legacy_events.databases.mysql.session import Session

_COUNTER = """
SELECT t.auto_increment, t.engine, c.extra, c.column_default
  FROM information_schema.tables t JOIN information_schema.columns c
 WHERE t.table_schema = %s AND t.table_name = %s AND c.table_schema = %s AND c.table_name = %s AND c.column_name = %s
"""


def read_next_id(session: Session, table: str, column: str) -> NextId:
    """Return what the generator of a column hands out next.

    The number is that of now, see `Session.read_only`. Releases that forget it with a restart count from the highest
    row then, and say so from then on. A session that counts by larger steps may leave out numbers, and one that goes
    back to smaller steps may be given some of them in old releases; none is given twice.
    """
    row = find_table(session, table)
    found = session.rows(_COUNTER, row.schema, row.name, row.schema, row.name, column)
    if row.is_view or not found:
        return NextId()
    number, engine, extra, default = found[0]
    if "auto_increment" not in str(extra).lower():
        return NextId(unknown=_sequence(column, default) if _is_sequence(default) else None)
    if number is not None:
        return NextId(int(number))
    if engine == "InnoDB" and not session.mariadb:  # MySQL 8 and later of a table that never counted
        return NextId(1)
    return NextId(unknown=f"engine {engine} does not tell what AUTO_INCREMENT of {column} hands out next")


def _is_sequence(default: str | None) -> bool:
    return str(default).lower().startswith(("nextval(", "(nextval("))


def _sequence(column: str, default: str) -> str:
    return (
        f"the values of {column} come from {default}, and servers take numbers of a sequence in advance, so what it"
        " hands out next is not known"
    )
