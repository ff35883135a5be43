"""What PostgreSQL's catalog says of one table, in one statement."""

from __future__ import annotations

import json
from typing import Any

from psycopg import Connection

from airflow_legacy_events.databases.postgres_size import STORED_SMALL
from airflow_legacy_events.databases.reflection import TableFacts, no_such_table, split_name

# Version 18 marks a column NOT NULL also where a constraint is NOT VALID yet, so NULLs may be there.
_TABLE = """
SELECT n.nspname, c.relname, c.relkind = ANY ('{r,p,m}'),
       c.relkind = ANY ('{r,m}') AND NOT c.relhassubclass
         AND coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) < %s,
       (SELECT json_agg(a.attname) FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                            WHERE k.conrelid = c.oid AND k.contype = 'n' AND NOT k.convalidated
                              AND a.attnum = ANY (k.conkey)))::text,
       (SELECT json_agg(json_build_array(i.indisprimary, i.indisunique, m.amname = 'btree',
                 (SELECT json_agg(a.attname ORDER BY k.place)
                    FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
                   WHERE k.place <= i.indnkeyatts)) ORDER BY i.indisprimary DESC, x.relname)
          FROM pg_catalog.pg_index i
          JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
          JOIN pg_catalog.pg_am m ON m.oid = x.relam
         WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL)::text
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = coalesce(to_regclass(%s), to_regclass(%s)) AND c.relkind = ANY ('{r,p,m,v,f}')
"""
_NAMES = """
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = ANY ('{r,p,m,v,f}')
   AND CASE WHEN %s::text IS NULL THEN pg_table_is_visible(c.oid) AND n.nspname NOT LIKE 'pg\\_%%'
            AND n.nspname <> 'information_schema' ELSE n.nspname = %s END
"""


def inspect_table(session: Connection[Any], table: str) -> TableFacts:
    """Return the facts of a table or view, found as written, else in lower case.

    Raises:
        ConfigurationError: there is none of that name.
    """
    schema, name = split_name(table)
    written = _quoted(schema, name)
    row = session.execute(_TABLE, (STORED_SMALL, written, written.lower())).fetchone()
    if row is None:
        raise no_such_table(table, [one for (one,) in session.execute(_NAMES, (schema, schema))])
    found_schema, found_name, owns_indexes, small, not_null, found = row
    indexes = [
        (primary, unique, btree, tuple(columns)) for primary, unique, btree, columns in json.loads(found or "[]")
    ]
    return TableFacts(
        name=found_name,
        schema=found_schema if schema is not None else None,
        primary_key=next((columns for primary, _, _, columns in indexes if primary), ()),
        unique=tuple(columns for primary, unique, _, columns in indexes if unique and not primary),
        indexes=tuple(dict.fromkeys(columns for _, _, btree, columns in indexes if btree)) if owns_indexes else None,
        not_null=frozenset(json.loads(not_null or "[]")),
        small=small,
    )


def _quoted(schema: str | None, name: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name) if part is not None)
