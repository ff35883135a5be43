"""Publications: what one publishes, and how ours is made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import Connection, sql

from airflow_legacy_events.core.model.log import TableName

GENERATED_SINCE = 180_000
"""First version that can publish generated columns."""

FILTERS_SINCE = 150_000
"""First version with row filters, column lists and `FOR TABLES IN SCHEMA`."""

_OURS = "airflow-legacy-events: "
_OPERATIONS = ("insert", "update", "delete", "truncate")
_PUBLICATION = """
SELECT to_jsonb(p) || jsonb_build_object(
         'oid', p.oid::int8, 'comment', obj_description(p.oid, 'pg_publication'),
         'owned', pg_has_role(p.pubowner, 'USAGE'), 'owner', quote_ident(pg_get_userbyid(p.pubowner)))
  FROM pg_publication AS p WHERE p.pubname = %s::name
"""
_MEMBERS = """
SELECT r.prrelid::int8, n.nspname, c.relname, r.oid::int8, {filter}, {columns}, false
  FROM pg_publication_rel AS r JOIN pg_class AS c ON c.oid = r.prrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE r.prpubid = %s::oid
"""
_OF_SCHEMAS = """
 UNION ALL
SELECT c.oid::int8, n.nspname, c.relname, s.oid::int8, NULL, NULL, true
  FROM pg_publication_namespace AS s JOIN pg_namespace AS n ON n.oid = s.pnnspid
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind = ANY ('{r,p}') AND c.relpersistence = 'p'
 WHERE s.pnpubid = %s::oid
"""
_COLUMNS = """ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                     WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs) ORDER BY a.attnum)"""


class Member(NamedTuple):
    """A table in a publication.

    Attributes:
        table: its oid.
        name: of it.
        oid: of its membership; a table that was taken out and put back has another one. 0: it is in as all tables are.
        filter: the row filter as SQL; None if there is none.
        columns: of the column list; empty if there is none.
    """

    table: int
    name: TableName
    oid: int
    filter: str | None = None
    columns: Sequence[str] = ()


class Publication(NamedTuple):
    """One publication.

    Attributes:
        name: of it.
        oid: of it.
        operations: those of `insert`, `update`, `delete` and `truncate` that it publishes.
        by_root: whether changes of partitions come under their root's name.
        generated: `pubgencols`, `s` if stored generated columns are published; None below version 18.
        all_tables: whether it is `FOR ALL TABLES`.
        by_schema: whether it has all tables of a schema.
        owned: whether this user may alter it.
        owner: as SQL spells it.
        made_for: what our COMMENT says: `stream`, `dag`, `slot`; empty if it has none of ours.
        members: by the table's oid; those of other tables are left out.
    """

    name: str
    oid: int
    operations: Sequence[str]
    by_root: bool
    generated: str | None
    all_tables: bool
    by_schema: bool
    owned: bool
    owner: str
    made_for: Mapping[str, str]
    members: Mapping[int, Member]

    @property
    def missing(self) -> Sequence[str]:
        """The operations that it does not publish."""
        return [one for one in _OPERATIONS if one not in self.operations]

    def flags(self) -> dict[str, Any]:
        """Return what a watermark keeps of it, as plain JSON."""
        return {"operations": list(self.operations), "by_root": self.by_root, "generated": self.generated}

    def membership(self, table: int) -> int:
        """Return the oid of a table's membership; 0 if it has none of its own."""
        return self.members[table].oid if table in self.members else 0

    def holds(self, table: int) -> bool:
        """Whether changes of a table, by its oid, are published."""
        return self.all_tables or table in self.members


def find_publication(session: Connection[Any], name: str) -> Publication | None:
    """Return a publication; None if there is none of that name."""
    found = session.execute(_PUBLICATION, (name,)).fetchone()
    if found is None:
        return None
    [row] = found
    filtered = session.info.server_version >= FILTERS_SINCE
    columns = f"CASE WHEN r.prattrs IS NOT NULL THEN {_COLUMNS} END" if filtered else "NULL"
    qualified = "pg_get_expr(r.prqual, r.prrelid)" if filtered else "NULL"
    members = _MEMBERS.format(filter=qualified, columns=columns) + (_OF_SCHEMAS if filtered else "")
    rows = session.execute(members.encode(), (row["oid"],) * (1 + filtered)).fetchall()
    return Publication(
        name=name,
        oid=row["oid"],
        operations=[one for one in _OPERATIONS if row[f"pub{one}"]],
        by_root=bool(row.get("pubviaroot")),
        generated=row.get("pubgencols"),
        all_tables=row["puballtables"],
        by_schema=any(one[6] for one in rows),
        owned=row["owned"],
        owner=row["owner"],
        made_for=made_for(row["comment"]),
        members={one[0]: Member(one[0], TableName(one[1], one[2]), one[3], one[4], one[5] or ()) for one in rows},
    )


def made_for(comment: str | None) -> Mapping[str, str]:
    """Return what a publication's COMMENT says if this package wrote it: `stream`, `dag` and `slot`; else empty."""
    if comment is None or not comment.startswith(_OURS):
        return {}
    try:
        found = json.loads(comment.removeprefix(_OURS))
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def comment_for(stream: str, dag: str, slot: str) -> str:
    """Return the COMMENT of a publication of ours."""
    return _OURS + json.dumps({"stream": stream, "dag": dag, "slot": slot})


def make_publication(session: Connection[Any], name: str, tables: Iterable[TableName], comment: str) -> None:
    """Make a publication of tables, or of none, and its COMMENT, in one transaction."""
    generated = sql.SQL(", publish_generated_columns = stored" if _publishes_generated(session) else "")
    listed = _listed(tables)
    of_tables = sql.SQL("FOR TABLE {} ").format(listed) if list(listed) else sql.SQL("")
    made = sql.SQL("CREATE PUBLICATION {} {}WITH (publish = {}{})").format(
        sql.Identifier(name), of_tables, ", ".join(_OPERATIONS), generated
    )
    commented = sql.SQL("COMMENT ON PUBLICATION {} IS {}").format(sql.Identifier(name), comment)
    with session.transaction():
        session.execute(made)
        session.execute(commented)


def add_tables(session: Connection[Any], name: str, tables: Iterable[TableName]) -> None:
    """Add tables to a publication."""
    session.execute(sql.SQL("ALTER PUBLICATION {} ADD TABLE {}").format(sql.Identifier(name), _listed(tables)))


def drop_tables(session: Connection[Any], name: str, tables: Iterable[TableName]) -> None:
    """Take tables out of a publication."""
    session.execute(sql.SQL("ALTER PUBLICATION {} DROP TABLE {}").format(sql.Identifier(name), _listed(tables)))


def set_tables(session: Connection[Any], name: str, tables: Iterable[TableName]) -> None:
    """Let a publication have these tables and no others; at least one."""
    session.execute(sql.SQL("ALTER PUBLICATION {} SET TABLE {}").format(sql.Identifier(name), _listed(tables)))


def _publishes_generated(session: Connection[Any]) -> bool:
    return session.info.server_version >= GENERATED_SINCE


def _listed(tables: Iterable[TableName]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("ONLY ") + sql.Identifier(*one) for one in tables)
