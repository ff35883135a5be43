"""Tables of a change log: which of them patterns name, and what has no log of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.databases import table_names
from airflow_legacy_events.databases.postgres.changelog.session import LogSession

_RELATIONS = """
SELECT c.oid::int8, n.nspname, c.relname, c.relkind::text, c.relpersistence::text,
       CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::regclass::text END,
       CASE WHEN c.relkind = 'r' THEN
         ARRAY(SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = c.oid ORDER BY 1) END,
       CASE WHEN c.relkind IN ('r', 'p') AND row_security_active(c.oid) THEN quote_ident(current_user) END
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY (%s::name[]) AND c.relkind = ANY ('{r,p,v,m,S,f}')
   AND (n.nspname = ANY (%s::name[]) OR c.relname = ANY (%s::name[]))
 ORDER BY n.nspname, c.relname
"""
_NAMES = """
SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = %s::name AND c.relkind = ANY ('{r,p}') AND NOT c.relispartition
"""
_DOING = "looking for the tables"
_ALL = "*"
_TABLE, _PARTITIONED = "r", "p"
_KINDS = {
    "v": "a view, which has no log: name the tables below it",
    "m": "a materialized view, which has no log: name the tables below it",
    "S": "a sequence, which has no rows: leave it out",
    "f": "a foreign table, whose rows are logged by the server that holds them: connect to that server",
}
_UNLOGGED = {
    "u": "UNLOGGED: its changes are in no log. ALTER TABLE … SET LOGGED, or leave it out",
    "t": "a temporary table, whose changes are in no log: leave it out",
}
_SYSTEM = ("pg_catalog", "information_schema")


class Relation(NamedTuple):
    """A table, view or the like, as the catalog has it.

    Attributes:
        oid: of it.
        schema: of it.
        name: of it.
        kind: `relkind`.
        persistence: `relpersistence`.
        root: the partitioned table that it is a partition of, as SQL spells it; None if it is none.
        children: tables that inherit from it, as SQL spells them.
        policed: this user, as SQL spells it, if a policy of row-level security may hide rows from it; else None.
    """

    oid: int
    schema: str
    name: str
    kind: str
    persistence: str
    root: str | None
    children: Sequence[str] | None
    policed: str | None

    @property
    def table(self) -> TableName:
        """Its name."""
        return TableName(self.schema, self.name)


class Pattern(NamedTuple):
    """`schema.table`, or `schema.*`.

    Attributes:
        written: as the user wrote it.
        schema: of the tables.
        name: of the table; `*` for all.
        all: whether it stands for all tables of the schema.
    """

    written: str
    schema: str
    name: str
    all: bool


def find_tables(session: LogSession, patterns: Sequence[str], log: logging.Logger) -> dict[TableName, int]:
    """Return the oids of the tables that patterns name, in their order.

    A name is looked up as written, then in lower case. `schema.*` stands for the schema's tables, partitioned ones too,
    without partitions; an UNLOGGED one is left out with a warning.

    Raises:
        ConfigurationError: see `core.ports.ChangeLog.tables`; one error lists all.
    """
    problems, asked = Problems(), list[Pattern]()
    for written in patterns:
        with problems.collect():
            asked.append(_pattern(written))
    schemas = {variant for one in asked for variant in (one.schema, one.schema.lower())}
    starred = {variant for one in asked if one.all for variant in (one.schema, one.schema.lower())}
    names = {variant for one in asked for variant in (one.name, one.name.lower())}
    rows = session.ask(_DOING, _RELATIONS, (list(schemas), list(starred), list(names))) if asked else []
    relations, found = [Relation(*row) for row in rows], dict[TableName, int]()
    for one in asked:
        with problems.collect():
            for each in _matched(session, one, relations, log):
                with problems.collect():
                    _refuse(each, one)
                    found.setdefault(each.table, each.oid)
    problems.raise_found()
    return found


def _pattern(written: str) -> Pattern:
    schema, name = table_names.split_name(written)
    if schema is None:
        raise ConfigurationError(
            f"tables: {written!r} names no schema; give 'schema.table', such as 'public.{name}', or 'schema.*'"
        )
    if schema in _SYSTEM:
        raise ConfigurationError(f"tables: {written!r} is of the system catalog, which has no log; leave it out")
    return Pattern(written, schema, name, written.endswith(f".{_ALL}"))


def _matched(
    session: LogSession, pattern: Pattern, relations: Sequence[Relation], log: logging.Logger
) -> Iterator[Relation]:
    if pattern.all:
        yield from _all(pattern, relations, log)
        return
    wanted = (pattern.schema, pattern.name), (pattern.schema.lower(), pattern.name.lower())
    for schema, name in wanted:
        if found := [one for one in relations if (one.schema, one.name) == (schema, name)]:
            yield from found
            return
    near = [str(row[0]) for row in session.ask(_DOING, _NAMES, (pattern.schema,))]
    raise table_names.no_such_table(pattern.written, near)


def _all(pattern: Pattern, relations: Sequence[Relation], log: logging.Logger) -> Iterator[Relation]:
    tables = [one for one in relations if one.kind in (_TABLE, _PARTITIONED) and one.root is None]
    exact = [one for one in tables if one.schema == pattern.schema]
    found = exact or [one for one in tables if one.schema == pattern.schema.lower()]
    logged = [one for one in found if one.persistence == "p"]
    if unlogged := [str(one.table) for one in found if one.persistence != "p"]:
        log.warning("tables: %r leaves out what is UNLOGGED and has no log: %s", pattern.written, ", ".join(unlogged))
    if not logged:
        raise ConfigurationError(
            f"tables: {pattern.written!r} stands for all tables of a schema, and schema {pattern.schema!r} has no table"
            " with a log; correct the name"
        )
    yield from logged


def _refuse(found: Relation, pattern: Pattern) -> None:
    if (why := _why_refused(found)) is not None:
        written = "" if str(found.table) == pattern.written else f" ({pattern.written!r} in tables=)"
        raise ConfigurationError(f"tables: {str(found.table)!r}{written} is {why}")


def _why_refused(found: Relation) -> str | None:
    if found.kind in _KINDS:
        return _KINDS[found.kind]
    if found.root is not None:
        return f"a partition of {found.root}, under which its changes are sent: name that table instead"
    if found.persistence in _UNLOGGED:
        return _UNLOGGED[found.persistence]
    if found.children:
        return (
            f"inherited by {', '.join(found.children)}: a SELECT of it has the rows of all, its log only its own ones."
            "\nName the inheriting tables one by one in tables= (each read by ONLY its own rows), not this one; or make"
            " it a partitioned table"
        )
    if found.policed is not None:
        return (
            "under a policy of row-level security that may hide rows from this user, and the log would show them: let"
            " the"
            f" user see all rows, or leave the table out\nALTER ROLE {found.policed} BYPASSRLS"
        )
    return None
