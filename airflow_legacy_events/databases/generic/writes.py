"""What deleting or updating rows of a table of any other database meets, as SQLAlchemy's inspector says."""

from __future__ import annotations

import sqlalchemy as sa

from airflow_legacy_events.core.ports import TableWrites
from airflow_legacy_events.databases.generic.catalog import find_table, tried
from airflow_legacy_events.databases.reflection import not_a_table


def table_writes(session: sa.Connection, table: str) -> TableWrites:
    """Return what deleting or updating rows of a table meets. Its name is looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is none of that name, or it is a view.
    """
    inspector = sa.inspect(session)
    schema, name = find_table(inspector, table)
    if name in tried(lambda: inspector.get_view_names(schema=schema)):
        raise not_a_table(table, "a view")
    return TableWrites(_database_name(inspector, schema, name))


def _database_name(inspector: sa.Inspector, schema: str | None, name: str) -> str:
    """Return the name by which the database lists a table, whatever its case was written in."""
    names = inspector.get_table_names(schema=schema)
    listed = name if name in names else next((one for one in names if one.lower() == name.lower()), name)
    return ".".join(part for part in (schema or inspector.default_schema_name, listed) if part)
