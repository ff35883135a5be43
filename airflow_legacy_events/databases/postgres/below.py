"""Dependencies of a PostgreSQL table, view or query: views, partitions, children and foreign data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import Connection, sql

from airflow_legacy_events.databases.postgres.entries import FOREIGN
from airflow_legacy_events.databases.postgres.undone import ask
from airflow_legacy_events.databases.postgres.view_text import fingerprint, renamed_columns
from airflow_legacy_events.databases.postgres.written import statements_below

# Names are schema-qualified: otherwise a view's text would depend on the session's search_path.
_PATH = "SET LOCAL search_path = pg_catalog"

# Minimal query: rare properties of views are queried separately, once it is known that a view has them.
_BELOW = sql.SQL("""
WITH RECURSIVE below (oid) AS (
  SELECT pg_catalog.unnest({}::pg_catalog.oid[])
  UNION
  SELECT refobjid FROM below
    JOIN pg_catalog.pg_rewrite AS r ON r.ev_class OPERATOR(pg_catalog.=) below.oid
    JOIN pg_catalog.pg_depend AS d ON d.objid OPERATOR(pg_catalog.=) r.oid
   WHERE r.ev_type OPERATOR(pg_catalog.=) '1'::pg_catalog."char"
     AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
     AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
     AND d.refobjid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
)
""")
_VIEWS = sql.SQL("""
{below}
SELECT oid::pg_catalog.int8, oid::pg_catalog.regclass::pg_catalog.text, relkind::pg_catalog.text, relhassubclass,
       CASE WHEN relkind OPERATOR(pg_catalog.=) ANY ('{{v,m}}'::pg_catalog."char"[])
            THEN pg_catalog.pg_get_viewdef(oid) END
  FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT oid FROM below))
""")
# The file node of a part equals its oid until it is truncated or rewritten.
_PARTS = """
WITH RECURSIVE tree (oid) AS (
  SELECT pg_catalog.unnest({}::pg_catalog.oid[])
  UNION
  SELECT inhrelid FROM tree JOIN pg_catalog.pg_inherits AS i ON i.inhparent OPERATOR(pg_catalog.=) tree.oid
)
SELECT pg_catalog.max(relfilenode::pg_catalog.int8)
         FILTER (WHERE relfilenode OPERATOR(pg_catalog.<>) ALL (ARRAY[0::pg_catalog.oid, oid])),
       pg_catalog.array_agg(oid::pg_catalog.int8)
         FILTER (WHERE relkind OPERATOR(pg_catalog.=) 'f'::pg_catalog."char")
  FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT oid FROM tree))
"""
_FOREIGN = """
SELECT ftrelid::pg_catalog.regclass::pg_catalog.text, srvname, fdwname,
       ARRAY(SELECT option FROM pg_catalog.unnest(ftoptions) AS o (option)
              WHERE pg_catalog.split_part(option, '=', 1) OPERATOR(pg_catalog.<>) ALL (
                      '{{fetch_size,batch_size,use_remote_estimate,async_capable,updatable,truncatable,'
                      'analyze_sampling}}'::pg_catalog.text[]) ORDER BY option)
  FROM pg_catalog.pg_foreign_table AS t
  JOIN pg_catalog.pg_foreign_server AS s ON s.oid OPERATOR(pg_catalog.=) ftserver
  JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid OPERATOR(pg_catalog.=) srvfdw
 WHERE ftrelid OPERATOR(pg_catalog.=) ANY ({}::pg_catalog.oid[]) ORDER BY 1
"""
_CALLED_BY_VIEWS = """
SELECT d.refobjid FROM pg_catalog.pg_rewrite AS r
  JOIN pg_catalog.pg_depend AS d ON d.objid OPERATOR(pg_catalog.=) r.oid
 WHERE r.ev_class OPERATOR(pg_catalog.=) ANY ({}::pg_catalog.oid[])
   AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
   AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
"""
# An untrusted language has all rights of the server's system user. So does C; dblink is its only well-known case.
_OUTSIDE = """
SELECT p.oid::pg_catalog.regproc::pg_catalog.text FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_language AS l ON l.oid OPERATOR(pg_catalog.=) prolang
 WHERE p.oid OPERATOR(pg_catalog.=) ANY (ARRAY({}))
   AND (lanispl AND NOT lanpltrusted OR lanname OPERATOR(pg_catalog.=) 'c'::pg_catalog.name
        AND proname OPERATOR(pg_catalog.=) ANY ('{{dblink,dblink_fetch,dblink_get_result}}'::pg_catalog.name[]))
 ORDER BY 1
"""
_CALL = re.compile(r"[\w\"]\.[\w\"]+\(")
_HOLDS_REMOTELY = "postgres_fdw"


class Below(NamedTuple):
    """What lies below a table, view or query.

    Attributes:
        definition: fingerprint of the views and of the foreign tables' options; None if there are neither.
        unheld: see `core.ports.TableState.unheld`.
        exchanged: newest file node of the parts that were truncated or rewritten since their creation; None if none
            was.
        tables: answers about the tables below, for `Writing.below`.
        renamed: columns of views that are expressions, or have another name below.
    """

    definition: str | None = None
    unheld: str | None = None
    exchanged: int | None = None
    tables: Sequence[Any] = ()
    renamed: frozenset[str] = frozenset()


class Relation(NamedTuple):
    """A table or view below a view or query.

    Attributes:
        oid: of it.
        name: as written in SQL, with its schema.
        kind: as in the catalog.
        parent: whether it may have children or partitions.
        text: definition of a view; None for a table.
    """

    oid: int
    name: str
    kind: str
    parent: bool
    text: str | None


class ForeignTable(NamedTuple):
    """Foreign table: its data is on another server.

    Attributes:
        name: as written in SQL, with its schema.
        server: name of the foreign server.
        wrapper: name of the foreign data wrapper.
        options: those that determine the data; options that only affect performance are left out.
    """

    name: str
    server: str
    wrapper: str
    options: list[str]

    def reason(self) -> str:
        """Return why a snapshot doesn't keep its rows stable."""
        why = (
            "a TRUNCATE or a rewritten table there shows through its snapshot"
            if self.wrapper == _HOLDS_REMOTELY
            else "which holds no snapshot"
        )
        return (
            f"{self.name} is a foreign table of server {self.server}, read by {self.wrapper}: {why}; read it on its own"
            f" server, or load a copy of it: CREATE TABLE … AS TABLE {self.name}"
        )


def below_relations(session: Connection[Any], oids: Sequence[int], called: sql.Composable | None = None) -> Below:
    """Return what lies below views and foreign tables, themselves included.

    Further queries are sent only if one of them is foreign or has parts.

    Args:
        session: to query.
        oids: of the views and foreign tables.
        called: a SELECT of the oids of functions that are called in addition to those of the views.
    """
    found, written = list[Relation](), list[Any]()
    if oids:
        below = _BELOW.format(list(oids))
        all_below = sql.SQL("ARRAY({} SELECT oid FROM below)").format(below)
        rows, *written = ask(session, _PATH, _VIEWS.format(below=below), *statements_below(all_below))
        found = [Relation(*row) for row in rows]
    foreign = [one.oid for one in found if one.kind == FOREIGN]
    if parents := [one.oid for one in found if one.parent]:
        foreign += _parts(session, parents)[1]
    if calling := [one.oid for one in found if one.text is not None and _CALL.search(one.text)]:
        of_views = sql.SQL(_CALLED_BY_VIEWS).format(calling)
        called = of_views if called is None else sql.SQL(" UNION ALL ").join([of_views, called])
    tables = _foreign_tables(session, foreign)
    texts = {one.name: one.text for one in found if one.text is not None}
    renamed = frozenset(name for text in texts.values() for name in renamed_columns(text))
    texts |= {one.name: f"{one.server} {' '.join(one.options)}" for one in tables}
    return Below(fingerprint(texts) if texts else None, _unheld(session, tables, called), None, written, renamed)


def below_parent(session: Connection[Any], oid: int) -> Below:
    """Return what lies below a table with children or partitions."""
    exchanged, foreign = _parts(session, [oid])
    return Below(unheld=_unheld(session, _foreign_tables(session, foreign)), exchanged=exchanged)


def _parts(session: Connection[Any], parents: Sequence[int]) -> tuple[int | None, list[int]]:
    [[(exchanged, foreign)]] = ask(session, sql.SQL(_PARTS).format(list(parents)))
    return exchanged, foreign or []


def _foreign_tables(session: Connection[Any], oids: Sequence[int]) -> list[ForeignTable]:
    if not oids:
        return []
    [rows] = ask(session, _PATH, sql.SQL(_FOREIGN).format(list(oids)))
    return [ForeignTable(*row) for row in rows]


def _unheld(
    session: Connection[Any], foreign: Sequence[ForeignTable], called: sql.Composable | None = None
) -> str | None:
    if foreign:
        return foreign[0].reason()
    if called is None:
        return None
    [functions] = ask(session, _PATH, sql.SQL(_OUTSIDE).format(called))
    reasons = (f"{name}() can read what no snapshot holds; write the query without it" for (name,) in functions)
    return next(reasons, None)
