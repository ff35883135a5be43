"""What deleting or updating rows of a table of PostgreSQL meets, from its catalog."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql

from airflow_legacy_events.core.ports import TableWrites
from airflow_legacy_events.databases.postgres.catalog import quoted
from airflow_legacy_events.databases.reflection import no_such_table, not_a_table, split_name

_TABLE = """
SELECT oid, relkind::text, quote_ident((SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = relnamespace))
       || '.' || quote_ident(relname)
  FROM pg_catalog.pg_class WHERE oid = coalesce(to_regclass({}), to_regclass({}))
"""
_TABLES = frozenset("rp")
_KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}


def table_writes(session: Connection[Any], table: str) -> TableWrites:
    """Return what deleting or updating rows of a table meets. Its name is looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is none of that name, or it is no table.
    """
    written = quoted(*split_name(table))
    found = session.execute(sql.SQL(_TABLE).format(written, written.lower())).fetchone()
    if found is None:
        raise no_such_table(table, [])
    _, kind, name = found
    if kind not in _TABLES:
        raise not_a_table(table, _KINDS.get(kind, "no table"))
    return TableWrites(name)
