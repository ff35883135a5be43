"""What deleting or updating rows of a table of MySQL or MariaDB meets, from its catalog."""

from __future__ import annotations

from airflow_legacy_events.core.ports import TableWrites
from airflow_legacy_events.databases.mysql.catalog import find_table
from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.reflection import not_a_table


def table_writes(session: Session, table: str) -> TableWrites:
    """Return what deleting or updating rows of a table meets. Its name is looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is none of that name, or it is a view.
    """
    schema, name, kind, _ = find_table(session, table)
    if "VIEW" in kind:
        raise not_a_table(table, "a view")
    return TableWrites(_server_name(session, schema, name))


def _server_name(session: Session, schema: str, name: str) -> str:
    """Return the name by which the server knows a table, whatever its case was written in."""
    [(folded,)] = session.rows("SELECT @@lower_case_table_names")
    return f"{schema}.{name}" if folded == "0" else f"{schema}.{name}".lower()
