"""Names of tables that are written to: found in the catalog, or taken for a new table."""

from __future__ import annotations

import sqlalchemy as sa

from airflow_legacy_events.databases.table_names import TableName, looked_up, readings, split_name


def find_table(connection: sa.Connection, table: str) -> TableName | None:
    """Return the catalog's name of a table or view, by what the user wrote; None if there is none.

    Looked up as written, in any characters, then as `schema.table`, then in lower case; see `table_names`.

    Raises:
        ConfigurationError: it is no name of a table.
    """
    inspector = sa.inspect(connection)
    for one in looked_up(table, quotes_of(connection.dialect)):
        if len(one.name) > connection.dialect.max_identifier_length:  # some databases fail otherwise
            continue
        if one.schema is not None and one.schema not in inspector.get_schema_names():
            continue
        if inspector.has_table(one.name, schema=one.schema):
            return one
    return None


def name_to_make(dialect: sa.Dialect, table: str) -> TableName:
    """Return the name of a table that is not there: `schema.table` or `table`, else all of it as one name.

    Raises:
        ConfigurationError: it is no name of a table.
    """
    quotes = quotes_of(dialect)
    *_, name = readings(table, quotes)
    return name if name.schema is None else split_name(table, quotes)


def quotes_of(dialect: sa.Dialect) -> str:
    """Return the opening quote characters that a user may write a name with."""
    own = dialect.identifier_preparer.initial_quote
    return '"' if own == '"' else f'"{own}'
