"""Catalog of PostgreSQL: the facts of one table, in one round trip."""

from __future__ import annotations

from typing import Any, NamedTuple

from psycopg import Connection, sql

from airflow_legacy_events.databases.postgres.sizes import STORED_SMALL
from airflow_legacy_events.databases.reflection import TableFacts, no_such_table, split_name

# No statement joins: planning is most of what they take a fresh session, and joining makes it half as much again.
_TABLE = """
SELECT (SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = relnamespace), relname, relkind::text, relhassubclass,
       pg_relation_size(reltoastrelid::regclass, 'main')
  FROM pg_catalog.pg_class WHERE oid = {table};
SELECT attnum, attname, attnotnull FROM pg_catalog.pg_attribute
 WHERE attrelid = {table} AND attnum > 0 AND NOT attisdropped;
SELECT indisprimary, indisunique, pg_index_column_has_property(indexrelid::regclass, 1, 'orderable'), indnkeyatts,
       indkey::text, (SELECT relname FROM pg_catalog.pg_class WHERE oid = indexrelid)
  FROM pg_catalog.pg_index
 WHERE indrelid = {table} AND indisvalid AND indpred IS NULL AND indexprs IS NULL
"""
# Version 18 marks a column NOT NULL also where a constraint is NOT VALID yet, so NULLs may be there.
_MAYBE_NULL = """
;SELECT unnest(conkey) FROM pg_catalog.pg_constraint
  WHERE conrelid = {table} AND contype = 'n' AND NOT convalidated
"""
_MARKED_SINCE = 180_000
_OWN_INDEXES, _WITH_TABLE_INDEXES, _WITH_ROWS = "rm", "rpm", "rpmvf"
_NAMES = """
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = ANY (%s)
   AND CASE WHEN %s::text IS NULL THEN pg_table_is_visible(c.oid) AND n.nspname NOT LIKE 'pg\\_%%'
            AND n.nspname <> 'information_schema' ELSE n.nspname = %s END
"""


class _Index(NamedTuple):
    primary: bool
    unique: bool
    ordered: bool
    key_columns: int
    numbers: str
    name: str

    def columns(self, names: dict[int, str]) -> tuple[str, ...]:
        return tuple(names[int(number)] for number in self.numbers.split()[: self.key_columns])


def inspect_table(session: Connection[Any], table: str) -> TableFacts:
    """Return the facts of a table or view. Its name is looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is none of that name.
    """
    schema, name = split_name(table)
    tables, columns, found, maybe_null = _ask(session, quoted(schema, name))
    if not tables or tables[0][2] not in _WITH_ROWS:
        raise no_such_table(table, [one for (one,) in session.execute(_NAMES, (list(_WITH_ROWS), schema, schema))])
    ((found_schema, found_name, kind, parent, stored),) = tables
    names = {number: column for number, column, _ in columns}
    indexes = sorted((_Index(*row) for row in found), key=lambda index: (not index.primary, index.name))
    unsure = {number for (number,) in maybe_null}
    return TableFacts(
        name=found_name,
        schema=found_schema if schema is not None else None,
        primary_key=next((index.columns(names) for index in indexes if index.primary), ()),
        unique=tuple(index.columns(names) for index in indexes if index.unique and not index.primary),
        indexes=tuple(dict.fromkeys(index.columns(names) for index in indexes if index.ordered))
        if kind in _WITH_TABLE_INDEXES
        else None,
        not_null=frozenset(column for number, column, marked in columns if marked and number not in unsure),
        small=kind in _OWN_INDEXES and not parent and (stored or 0) < STORED_SMALL,
    )


def _ask(session: Connection[Any], written: str) -> list[list[Any]]:
    marked = session.info.server_version >= _MARKED_SINCE
    table = sql.SQL("coalesce(to_regclass({}), to_regclass({}))::oid").format(written, written.lower())
    statements = sql.SQL(_TABLE + (_MAYBE_NULL if marked else "")).format(table=table)
    cursor = session.execute(statements.as_bytes(session))
    answers = [cursor.fetchall()]
    while cursor.nextset():
        answers.append(cursor.fetchall())
    return answers if marked else [*answers, []]


def quoted(schema: str | None, name: str) -> str:
    """Return a name as SQL writes it, whatever it holds."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name) if part is not None)
