"""PostgreSQL catalog: facts about one table in one round trip, or two for views, parents and unusual indexes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, sql

from airflow_legacy_events.core.ports import Withheld
from airflow_legacy_events.databases.postgres.collations import COLLATIONS, Collation, default_collation
from airflow_legacy_events.databases.postgres.entries import Attribute, Entry, Index
from airflow_legacy_events.databases.postgres.rights import unreachable
from airflow_legacy_events.databases.postgres.sizes import STORED_SMALL
from airflow_legacy_events.databases.postgres.state import table_state
from airflow_legacy_events.databases.postgres.written import STATEMENTS, Writing
from airflow_legacy_events.databases.reflection import TableFacts, unreadable_table
from airflow_legacy_events.databases.table_names import TableName, looked_up, no_such_table, readings

# No joins: in a fresh session planning takes most of the time, and joins make it half as long again.
_TABLE = """
SELECT oid::pg_catalog.int8,
       (SELECT nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid OPERATOR(pg_catalog.=) relnamespace), relname,
       relkind::pg_catalog.text,
       relhassubclass
       AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent OPERATOR(pg_catalog.=) c.oid),
       pg_catalog.pg_relation_size(reltoastrelid::pg_catalog.regclass, 'main'),
       pg_catalog.pg_relation_filenode(oid)::pg_catalog.int8,
       pg_catalog.concat((SELECT pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_namespace AS n
                           WHERE n.oid OPERATOR(pg_catalog.=) relnamespace), '.', pg_catalog.quote_ident(relname)),
       pg_catalog.quote_ident(current_user),
       ARRAY(SELECT attname::pg_catalog.text FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND attnum OPERATOR(pg_catalog.<) 0::pg_catalog.int2
                AND NOT pg_catalog.has_column_privilege(a.attrelid, attnum, 'SELECT'))
  FROM pg_catalog.pg_class AS c WHERE oid OPERATOR(pg_catalog.=) {table};
SELECT attnum, attname, attnotnull, attcollation::pg_catalog.int8, atttypid::pg_catalog.int8,
       CASE WHEN NOT pg_catalog.has_column_privilege(attrelid, attnum, 'SELECT')
            THEN pg_catalog.quote_ident(attname) END
  FROM pg_catalog.pg_attribute
 WHERE attrelid OPERATOR(pg_catalog.=) {table} AND attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2
   AND NOT attisdropped;
SELECT indisprimary, indisunique,
       pg_catalog.pg_index_column_has_property(indexrelid::pg_catalog.regclass, 1, 'orderable'), indnkeyatts,
       indkey::pg_catalog.text, indcollation::pg_catalog.text, indclass::pg_catalog.text,
       (SELECT relname FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) indexrelid)
  FROM pg_catalog.pg_index
 WHERE indrelid OPERATOR(pg_catalog.=) {table} AND indisvalid AND indpred IS NULL AND indexprs IS NULL;
"""
# Version 18 marks a column NOT NULL even if the constraint is still NOT VALID, so it may contain NULLs.
_MAYBE_NULL = """
;SELECT pg_catalog.unnest(conkey) FROM pg_catalog.pg_constraint
  WHERE conrelid OPERATOR(pg_catalog.=) {table} AND contype OPERATOR(pg_catalog.=) 'n'::pg_catalog."char"
    AND NOT convalidated
"""
_MARKED_SINCE = 180_000
_OWN_INDEXES, _WITH_TABLE_INDEXES, _WITH_ROWS = "rm", "rpm", "rpmvf"
_NAMES = """
SELECT c.relname FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY (%s::pg_catalog."char"[])
   AND CASE WHEN %s::pg_catalog.text IS NULL
            THEN pg_catalog.pg_table_is_visible(c.oid) AND n.nspname OPERATOR(pg_catalog.!~~) 'pg\\_%%'
                 AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'::pg_catalog.name
            ELSE n.nspname OPERATOR(pg_catalog.=) %s::pg_catalog.name END
"""


class _Answers(NamedTuple):
    tables: list[Any]
    columns: list[Any]
    indexes: list[Any]
    collations: list[Any]
    default: list[Any]
    written: list[Any]
    defaults: list[Any]
    sequences: list[Any]
    maybe_null: list[Any]


def inspect_table(session: Connection[Any], table: str) -> TableFacts:
    """Return the facts about a table or view. Its name is looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is no table of that name.
    """
    *_, written = readings(table)
    try:
        found = _ask(session, table)
    except psycopg.errors.InsufficientPrivilege:
        if not (hidden := unreachable(session, *written)):
            raise
        raise unreadable_table(table, "\n".join(hidden)) from None
    entries = [Entry(*row) for row in found.tables]
    if not entries or entries[0].kind not in _WITH_ROWS:
        if hidden := unreachable(session, *written):
            raise unreadable_table(table, "\n".join(hidden))
        values = list(_WITH_ROWS), written.schema, written.schema
        raise no_such_table(table, [one for (one,) in session.execute(_NAMES, values)])
    [entry] = entries
    columns = {number: Attribute(*rest) for number, *rest in sorted(found.columns)}
    names = {one.name: one.withheld for one in columns.values() if one.withheld}
    withheld = Withheld(names, on=entry.spelled, to=entry.user, hidden=tuple(entry.hidden))
    if columns and len(withheld.names) == len(columns):
        raise unreadable_table(table, withheld.grant())
    indexes = sorted((Index.of(*row) for row in found.indexes), key=lambda index: (not index.primary, index.name))
    collations = {row[0]: Collation(*row) for row in (*found.collations, *found.default)}
    named = {index: tuple(columns[number].name for number in index.keys) for index in indexes}
    unsure = {number for (number,) in found.maybe_null}
    state = table_state(session, entry, columns, indexes, collations)
    return TableFacts(
        name=entry.name,
        schema=None if entry.name in (table, table.lower()) or written.schema is None else entry.schema,
        primary_key=next((named[index] for index in indexes if index.primary), ()),
        unique=tuple(named[index] for index in indexes if index.unique and not index.primary),
        indexes=tuple(dict.fromkeys(named[index] for index in indexes if index.ordered))
        if entry.kind in _WITH_TABLE_INDEXES
        else None,
        not_null=frozenset(one.name for number, one in columns.items() if one.not_null and number not in unsure),
        small=entry.kind in _OWN_INDEXES and not entry.parent and (entry.stored or 0) < STORED_SMALL,
        state=state if state.writing else state._replace(writing=_writing(entry, columns, found)),
        readable=tuple(one.name for one in columns.values() if not one.withheld) if withheld.names else None,
        withheld=withheld,
    )


def _writing(entry: Entry, columns: Mapping[int, Attribute], found: _Answers) -> Writing:
    names = {entry.oid: {number: one.name for number, one in columns.items()}}
    return Writing.of((found.written, found.defaults, found.sequences), names, entry.kind)


def _ask(session: Connection[Any], table: str) -> _Answers:
    version = session.info.server_version
    marked = version >= _MARKED_SINCE
    statements = _TABLE + COLLATIONS + default_collation(version) + ";" + STATEMENTS + (_MAYBE_NULL if marked else "")
    of = table_of(table)
    cursor = session.execute(
        sql.SQL(statements).format(table=of, oids=sql.SQL("ARRAY[{}]").format(of)).as_bytes(session)
    )
    answers = [cursor.fetchall()]
    while cursor.nextset():
        answers.append(cursor.fetchall())
    return _Answers(*answers, *([] if marked else [[]]))


def table_of(table: str) -> sql.Composed:
    """Return the SQL expression for a table's oid, NULL if no table has that name; see `looked_up`."""
    return sql.SQL("coalesce({})::pg_catalog.oid").format(sql.SQL(", ").join(map(_found, looked_up(table))))


def _found(name: TableName) -> sql.Composed:
    return sql.SQL("pg_catalog.to_regclass({})").format(quoted(*name))


def quoted(schema: str | None, name: str) -> str:
    """Return a name as a quoted SQL identifier, with any characters in it."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name) if part is not None)
