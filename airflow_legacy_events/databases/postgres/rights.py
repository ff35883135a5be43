"""Missing rights of a PostgreSQL user, as the GRANTs to run; looked up only after a statement was refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, sql

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.postgres.policies import is_policy
from airflow_legacy_events.databases.postgres.session import reason
from airflow_legacy_events.databases.postgres.undone import ask
from airflow_legacy_events.databases.postgres.writing import reason_of_read

_WORD = re.compile(r'"((?:[^"]|"")+)"|([^\W\d][\w$]*)')
_LOOK = re.compile(r"\ASELECT \*\s+FROM ")
_ALL_COLUMNS = re.compile(r"(?:\bselect|\bdistinct|,|\.)\s*\*", re.IGNORECASE)
# The server's message is localized and names no schema: the missing rights are looked up by the names in it.
_RELATIONS = """
SELECT pg_catalog.concat(pg_catalog.quote_ident(nspname), '.', pg_catalog.quote_ident(relname)),
       CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN pg_catalog.quote_ident(nspname) END,
       NOT pg_catalog.has_table_privilege(c.oid, 'SELECT'),
       ARRAY(SELECT ARRAY[attname::pg_catalog.text, pg_catalog.quote_ident(attname)]
               FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND NOT attisdropped
                AND NOT pg_catalog.has_column_privilege(c.oid, attnum, 'SELECT') ORDER BY attnum),
       ARRAY(SELECT attname::pg_catalog.text FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND NOT attisdropped
                AND attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2),
       pg_catalog.pg_table_is_visible(c.oid)
       OR nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ({words}::pg_catalog.text[])
       OR nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY (pg_catalog.regexp_split_to_array(
            pg_catalog.current_setting('search_path'), '["[:space:]]*,["[:space:]]*')),
       pg_catalog.quote_ident(current_user)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) relnamespace
 WHERE relname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ({words}::pg_catalog.text[])
   AND relkind OPERATOR(pg_catalog.=) ANY ('{{r,p,v,m,f}}'::pg_catalog."char"[])
   AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
"""
_OTHERS = """
SELECT pg_catalog.concat('USAGE ON SCHEMA ', pg_catalog.quote_ident(nspname)), pg_catalog.quote_ident(current_user)
  FROM pg_catalog.pg_namespace
 WHERE nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ({words}::pg_catalog.text[])
   AND NOT pg_catalog.has_schema_privilege(oid, 'USAGE')
UNION ALL
SELECT pg_catalog.concat('EXECUTE ON FUNCTION ', oid::pg_catalog.regprocedure::pg_catalog.text),
       pg_catalog.quote_ident(current_user)
  FROM pg_catalog.pg_proc
 WHERE proname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ({words}::pg_catalog.text[])
   AND NOT pg_catalog.has_function_privilege(oid, 'EXECUTE')
"""


class _Relation(NamedTuple):
    """A table or view that this user may not read completely.

    Attributes:
        name: with its schema, quoted.
        schema: quoted, if this user has no USAGE on it; else None.
        table: whether the user has no right on the whole table.
        withheld: columns that it may not read, including hidden system columns, each with its quoted name.
        columns: all user columns.
        near: whether an unqualified name may refer to it.
        user: quoted.
    """

    name: str
    schema: str | None
    table: bool
    withheld: list[tuple[str, str]]
    columns: list[str]
    near: bool
    user: str

    def grants(self, words: Sequence[str] | None) -> Iterator[str]:
        """Yield the GRANTs for the columns named in `words`; if it names none, for all columns."""
        if self.schema is not None:
            yield f"GRANT USAGE ON SCHEMA {self.schema} TO {self.user}"
        if not self.table:
            return
        own = [spelled for name, spelled in self.withheld if name in self.columns]
        named = [spelled for name, spelled in self.withheld if words is not None and name in words]
        some = ", ".join(named or own)
        yield f"GRANT SELECT{'' if len(own) == len(self.columns) else f' ({some})'} ON {self.name} TO {self.user}"


@contextmanager
def explained(
    session: Connection[Any], conn_id: str, doing: str, statement: Callable[[], str] = lambda: ""
) -> Iterator[None]:
    """Add the missing GRANTs to the error of a statement.

    Args:
        session: the one that runs the statement.
        conn_id: Airflow's name of the connection.
        doing: as in `SqlDatabase._using`.
        statement: returns its text, if known.

    Raises:
        SourceError: instead of the driver's `InsufficientPrivilege`.
    """
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        if is_policy(error):
            raise
        failed = errors.failed(conn_id, doing, reason_of_read(error, doing))
        raise errors.with_grants(failed, missing(session, error, statement())) from None


def refused_query(session: Connection[Any], conn_id: str, error: psycopg.Error, statement: str) -> ConfigurationError:
    """Return the error for a query that the server refused before it read a row, with the missing GRANTs."""
    refused = errors.refused_query(conn_id, reason(error))
    if isinstance(error, psycopg.errors.UndefinedTable):
        return errors.with_grants(refused, _hidden(session, error))
    lacks = isinstance(error, psycopg.errors.InsufficientPrivilege)
    return errors.with_grants(refused, missing(session, error, statement)) if lacks else refused


def missing(session: Connection[Any], error: psycopg.Error, statement: str = "") -> list[str]:
    """Return the GRANTs that this user lacks for a refused statement; empty if they can't be determined.

    Args:
        session: of that user, not in a failed transaction.
        error: of the server.
        statement: its text; only column and schema names in it are used.
    """
    said = _words(error.diag.message_primary or "")
    try:
        relations = _relations(session, [*said, *_words(statement)])
        others = ask(session, sql.SQL(_OTHERS).format(words=said))[0] if not relations else []
    except psycopg.Error:
        return []
    named = [one for one in relations if set(said) & set(_words(one.name))] or relations
    bare = _LOOK.sub("", statement)
    columns = None if _ALL_COLUMNS.search(bare) else _words(bare)
    return [
        *(grant for one in named for grant in one.grants(columns)),
        *(f"GRANT {right} TO {user}" for right, user in others),
    ]


def unreachable(session: Connection[Any], schema: str | None, name: str) -> list[str]:
    """Return the GRANTs needed to find an existing table by its name; empty if there is no such table."""
    return _behind_schemas(_relations(session, [one for one in (schema, name, name.lower()) if one is not None]))


def _hidden(session: Connection[Any], error: psycopg.Error) -> list[str]:
    """Return the GRANTs for a relation that is not found because its schema may not be used; empty for any other."""
    try:
        relations = _relations(session, _words(error.diag.message_primary or ""))
    except psycopg.Error:
        return []
    return _behind_schemas(relations)


def _behind_schemas(relations: Sequence[_Relation]) -> list[str]:
    return [grant for one in relations if one.near and one.schema is not None for grant in one.grants(None)]


def _relations(session: Connection[Any], words: Sequence[str]) -> list[_Relation]:
    found = [_Relation(*row) for row in ask(session, sql.SQL(_RELATIONS).format(words=list(words)))[0]]
    return [one for one in found if one.near] or found


def _words(text: str) -> list[str]:
    """Return the names in a text; unquoted names are also included in lower case."""
    found = []
    for quoted, plain in _WORD.findall(text):
        found += [quoted.replace('""', '"')] if quoted else [plain, plain.lower()]
    return list(dict.fromkeys(found))
