"""File nodes: where a PostgreSQL table's rows are stored now, even when queried inside an old snapshot."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql

from airflow_legacy_events.databases.postgres.catalog import table_of
from airflow_legacy_events.databases.postgres.entries import FOREIGN, TABLE, VIEW
from airflow_legacy_events.databases.postgres.undone import ask

_KIND = """
SELECT relkind::pg_catalog.text, relhassubclass,
       pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(relname))
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) relnamespace
 WHERE c.oid OPERATOR(pg_catalog.=) {}
"""
# A session processes catalog invalidations when it takes a lock, so it takes one not yet held in the snapshot.
_HEAR = "SELECT 1 FROM pg_catalog.pg_default_acl LIMIT 0"
# Only these functions read the current catalog; catalog rows are as old as the snapshot.
_NODES = """
SELECT oid::pg_catalog.int8, pg_catalog.pg_relation_filenode(oid)::pg_catalog.int8
  FROM (SELECT {table} UNION ALL SELECT relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree({table})) AS parts (oid)
 WHERE pg_catalog.pg_relation_filenode(oid) IS NOT NULL
"""
# Planning a statement uses the current children and tables, and locks them.
_PLANNED = "EXPLAIN (COSTS OFF) SELECT 1 FROM {}"
_LOCKED = """
SELECT relation::pg_catalog.int8, pg_catalog.pg_relation_filenode(relation)::pg_catalog.int8
  FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) relation
 WHERE locktype OPERATOR(pg_catalog.=) 'relation'::pg_catalog.text
   AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
   AND relation OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
   AND relkind OPERATOR(pg_catalog.=) ANY ('{r,m}'::pg_catalog."char"[])
"""


class Storage:
    """File nodes of a table, its partitions, its children, or of the tables below a view.

    The kind of relation is looked up once.
    """

    def __init__(self) -> None:
        self._statements: dict[str, tuple[sql.Composable, ...]] = {}

    def now(self, session: Connection[Any], table: str) -> dict[str, int] | None:
        """Return the file nodes by oid; None for a foreign table. Its locks are released at once.

        Args:
            session: to query, in a snapshot or not.
            table: as the user wrote it; the table that has the name now counts.
        """
        if table not in self._statements:
            self._statements[table] = _statements(session, table)
        statements = self._statements[table]
        if not statements:
            return None
        *_, nodes = ask(session, *statements)
        return {str(oid): node for oid, node in nodes}


def below_query(session: Connection[Any], query: str) -> dict[str, int]:
    """Return the file nodes of the tables below a query, by oid. Its locks are released at once."""
    *_, nodes = ask(session, sql.SQL("EXPLAIN (COSTS OFF) ") + sql.SQL(query), sql.SQL(_LOCKED))
    return {str(oid): node for oid, node in nodes}


def _statements(session: Connection[Any], table: str) -> tuple[sql.Composable, ...]:
    """Return the statements to run, the file node query last; empty for a foreign table."""
    named = table_of(table)
    [found] = ask(session, sql.SQL(_KIND).format(named))
    kind, parent, name = found[0] if found else (TABLE, False, "")
    if kind == FOREIGN:
        return ()
    if kind == VIEW or (kind == TABLE and parent):
        return sql.SQL(_PLANNED.format(name)), sql.SQL(_LOCKED)
    return sql.SQL(_HEAR), sql.SQL(_NODES).format(table=named)
