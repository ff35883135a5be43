"""Sequences that generate a PostgreSQL column's values: identity, owned, or named in its default."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from psycopg import Connection, sql

from airflow_legacy_events.core.ports import NextId
from airflow_legacy_events.databases.postgres.catalog import table_of
from airflow_legacy_events.databases.postgres.undone import ask

# Dependency types: an identity's sequence is internal to its column, an owned sequence is dropped with it.
_COLUMN = """
SELECT attrelid::pg_catalog.int8, attnum::pg_catalog.int4,
       (SELECT pg_catalog.pg_get_expr(adbin, adrelid) FROM pg_catalog.pg_attrdef
         WHERE adrelid OPERATOR(pg_catalog.=) attrelid AND adnum OPERATOR(pg_catalog.=) attnum),
       ARRAY(SELECT objid FROM pg_catalog.pg_depend
              WHERE classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                AND refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                AND refobjid OPERATOR(pg_catalog.=) attrelid AND refobjsubid OPERATOR(pg_catalog.=) attnum
                AND deptype OPERATOR(pg_catalog.=) ANY ('{{a,i}}'::pg_catalog."char"[]))::pg_catalog.int8[],
       ARRAY(SELECT d.refobjid FROM pg_catalog.pg_depend AS d
               JOIN pg_catalog.pg_attrdef AS a ON a.oid OPERATOR(pg_catalog.=) d.objid
              WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                AND a.adrelid OPERATOR(pg_catalog.=) attrelid AND a.adnum OPERATOR(pg_catalog.=) attnum
                AND d.refobjid OPERATOR(pg_catalog.<>) attrelid)::pg_catalog.int8[]
  FROM pg_catalog.pg_attribute
 WHERE attrelid OPERATOR(pg_catalog.=) {table} AND attname OPERATOR(pg_catalog.=) {column}::pg_catalog.name
"""
_SEQUENCE = """
SELECT pg_catalog.concat(pg_catalog.quote_ident(nspname), '.', pg_catalog.quote_ident(relname)),
       pg_catalog.quote_ident(nspname), seqincrement, seqmin, seqmax, seqcycle, seqstart,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE'), pg_catalog.has_sequence_privilege(c.oid, 'SELECT'),
       pg_catalog.pg_is_in_recovery(), pg_catalog.quote_ident(current_user)
  FROM pg_catalog.pg_sequence AS s JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) seqrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) relnamespace
 WHERE seqrelid OPERATOR(pg_catalog.=) {}
"""
_READ = "SELECT last_value, is_called FROM {}"
_PLAIN = re.compile(r"\(?nextval\('.*'::(pg_catalog\.)?regclass\)\)?(::\w+)?", re.DOTALL)
_LOGGED_AHEAD = 32
"""Number of values that a sequence logs to the WAL ahead: on a standby it appears that much further."""


class _Sequence(NamedTuple):
    name: str
    schema: str
    increment: int
    least: int
    most: int
    cycles: bool
    start: int
    reachable: bool
    readable: bool
    standby: bool
    user: str


def next_id(session: Connection[Any], table: str, column: str) -> NextId:
    """Return the next value of a column's generator; see `core.ports.Database.next_id`.

    Values cached by sessions (CACHE) are ignored: they are lower, but handed out later.
    """
    named = table_of(table)
    [found] = ask(session, sql.SQL(_COLUMN).format(table=named, column=column))
    if not found:
        return NextId()
    [(_, _, default, owned, used)] = found
    candidates = used or owned
    if not candidates:
        return NextId()
    if used and not _PLAIN.fullmatch(default):
        return NextId(
            unknown=f"the default of column {column!r} computes its values from more than the next value of a sequence"
        )
    if len(candidates) > 1:
        return NextId(unknown=f"column {column!r} has {len(candidates)} sequences, and no default that names one")
    return _of_sequence(session, candidates[0])


def _of_sequence(session: Connection[Any], oid: int) -> NextId:
    [found] = ask(session, sql.SQL(_SEQUENCE).format(oid))
    if not found:  # a default may reference something else
        return NextId()
    sequence = _Sequence(*found[0])
    if not sequence.reachable:
        return NextId(unknown=f"GRANT USAGE ON SCHEMA {sequence.schema} TO {sequence.user} shows its sequence")
    if not sequence.readable:
        return NextId(unknown=f"GRANT SELECT ON SEQUENCE {sequence.name} TO {sequence.user} shows its next id")
    [[(last, called)]] = ask(session, sql.SQL(_READ.format(sequence.name)))
    if sequence.standby and called and abs(last - sequence.start) <= _LOGGED_AHEAD * abs(sequence.increment):
        return NextId(unknown=f"on a standby the sequence {sequence.name} is seen {_LOGGED_AHEAD} ids ahead")
    return NextId(_next(sequence, last) if called else last)


def _next(sequence: _Sequence, last: int) -> int:
    following = last + sequence.increment
    if sequence.cycles and not sequence.least <= following <= sequence.most:
        return sequence.least if sequence.increment > 0 else sequence.most
    return following
