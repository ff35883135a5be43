"""Sequences that stand still while messages bring the ids of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from airflow_legacy_events.databases.postgres.target.catalog import Attribute, Table
from airflow_legacy_events.databases.postgres.undone import ask

_BEHIND = """
SELECT pg_catalog.max({column})::pg_catalog.int8,
       CASE WHEN pg_catalog.has_sequence_privilege(s.oid, 'USAGE,SELECT')
            THEN coalesce(pg_catalog.pg_sequence_last_value(s.oid::pg_catalog.regclass), 0) END, s.name
  FROM {table}, (SELECT name, name::pg_catalog.regclass::pg_catalog.oid AS oid
                   FROM pg_catalog.pg_get_serial_sequence({named}, {plain}) AS q (name)) AS s
 GROUP BY s.oid, s.name
"""


def behind(session: psycopg.Connection[Any], table: Table, numbered: Sequence[Attribute]) -> list[str]:
    """Return a sentence for each sequence below the highest id, with which the next row of another program collides.

    Args:
        session: to query; it is left as it was.
        table: that has the columns.
        numbered: columns of its key that the database numbers rows by.
    """
    found = []
    for one in numbered:
        statement = sql.SQL(_BEHIND).format(
            column=sql.SQL(one.quoted), table=sql.SQL(table.name), named=table.name, plain=one.name
        )
        for highest, last, sequence in ask(session, statement)[0]:
            if sequence is not None and last is not None and highest is not None and last < highest:
                found.append(
                    f"ids come with the messages and leave sequence {sequence} at {last}, below the highest of"
                    f" {table.name}. Before another program inserts rows: SELECT setval('{sequence}', (SELECT"
                    f" max({one.quoted}) FROM {table.name}))"
                )
    return found
