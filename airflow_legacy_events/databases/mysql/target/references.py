"""Foreign keys of a target table: its parents, and children that a delete takes along."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_legacy_events.databases.mysql.catalog import TableRow
from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.table_names import QUOTES, TableName, looked_up

_PARENTS = """
SELECT DISTINCT referenced_table_schema, referenced_table_name FROM information_schema.key_column_usage
 WHERE table_schema = %s AND table_name = %s AND referenced_table_name IS NOT NULL ORDER BY 1, 2
"""
_CHILDREN = """
SELECT constraint_schema, table_name, constraint_name FROM information_schema.referential_constraints
 WHERE unique_constraint_schema = %s AND referenced_table_name = %s AND delete_rule = 'CASCADE' ORDER BY 1, 2, 3
"""


def parents(session: Session, row: TableRow, others: Sequence[str]) -> tuple[str, ...]:
    """Return the tables that foreign keys of a table point to, named as the user named them.

    Args:
        session: of the user.
        row: of the table.
        others: tables as the user named them; others are left out.
    """
    found = [TableName(str(schema), str(name)) for schema, name in session.rows(_PARENTS, row.schema, row.name)]
    [(database,)] = session.rows("SELECT DATABASE()")
    return tuple(dict.fromkeys(named for one in found if (named := _named(one, str(database), others)) is not None))


def warnings(session: Session, row: TableRow) -> tuple[str, ...]:
    """Return what a person should know of the tables whose rows a delete takes along."""
    return tuple(
        f"foreign key {key} of {schema}.{child} has ON DELETE CASCADE: when a row of {row.name!r} is deleted, its rows"
        " there are deleted too, and a message that writes the row again does not bring them back"
        for schema, child, key in session.rows(_CHILDREN, row.schema, row.name)
    )


def _named(found: TableName, database: str, others: Sequence[str]) -> str | None:
    for other in others:
        for one in looked_up(other, QUOTES["mysql"]):
            if one._replace(schema=one.schema or database) == found:
                return other
    return None
