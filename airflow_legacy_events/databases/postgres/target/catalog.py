"""PostgreSQL's catalog about a table that is written to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from airflow_legacy_events.databases.postgres.catalog import table_of
from airflow_legacy_events.databases.postgres.target import questions
from airflow_legacy_events.databases.postgres.undone import ask


class Table(NamedTuple):
    """What the catalog says about the table itself.

    Attributes:
        name: quoted, with its schema.
        kind: `relkind`.
        partition: whether it is one of another table.
        user: quoted.
        temporary: whether this user may make temporary tables.
        partitioned: how it is partitioned; None if it is not.
        partition_keys: names of columns that it is partitioned by.
        secured: whether a policy of row-level security judges this user's statements.
        rules: names of those that rewrite statements.
        lacking: rights among SELECT, INSERT, UPDATE that this user has on no column.
        may_delete: whether this user may delete rows.
        unread: names of columns that this user may not read.
    """

    name: str
    kind: str
    partition: bool
    user: str
    temporary: bool
    partitioned: str | None
    partition_keys: list[str]
    secured: bool
    rules: list[str]
    lacking: list[str]
    may_delete: bool
    unread: list[str]


class Part(NamedTuple):
    """The table, or a partition of it: OID, name, `relkind` and `relpersistence`."""

    oid: int
    name: str
    kind: str
    persistence: str


class Attribute(NamedTuple):
    """A column.

    Attributes:
        name: of it.
        quoted: the same in SQL.
        oid: of the type.
        type: as declared.
        open_type: without length or precision.
        base: name of the type below domains and arrays.
        typmod: of that type; -1 for none.
        required: whether NULL is refused.
        generated: `s` or `v` for a generated column, else empty.
        identity: `a` or `d` for an identity column, else empty.
        default: expression of a new row's value; None if there is none.
        folded: whether its collation calls unlike texts equal.
        class_: `typtype` of the type below domains.
        builtin: whether that is a type of the server itself.
        number: of the column.
        collation: OID of its collation; 0 for a type without one.
        array: whether its values are arrays.
        collation_name: quoted, with its schema; None for the database's own.
        converted: whether a function casts texts to the type, which may understand them differently than its input.
        locale: of a collation that calls unlike texts equal; None for any other.
    """

    name: str
    quoted: str
    oid: int
    type: str
    open_type: str
    base: str
    typmod: int
    required: bool
    generated: str
    identity: str
    default: str | None
    folded: bool
    class_: str
    builtin: bool
    number: int
    collation: int
    array: bool
    collation_name: str | None
    converted: bool
    locale: str | None


class Unique(NamedTuple):
    """A unique index over columns alone, and all rows.

    Attributes:
        name: quoted, with its schema.
        primary: whether it is the primary key's.
        immediate: whether it judges each row at once; a deferrable constraint does not.
        exclusion: whether it is one that compares by another operator than equality, such as WITHOUT OVERLAPS.
        numbers: of its columns.
        collations: of each.
        equals: operator of equality of each.
        names: of the index and those below it in partitions, without schema.
    """

    name: str
    primary: bool
    immediate: bool
    exclusion: bool
    numbers: list[int]
    collations: list[int]
    equals: list[str]
    names: list[str]


class ForeignKey(NamedTuple):
    """A foreign key of the table, or one that points to it.

    Attributes:
        own: whether it is one of the table itself.
        table: that has it.
        parent: OID of the table that it points to.
        parent_name: of that table.
        on_delete: `confdeltype`.
        name: of the constraint.
        on_update: `confupdtype`.
    """

    own: bool
    table: str
    parent: int
    parent_name: str
    on_delete: str
    name: str
    on_update: str


class Found(NamedTuple):
    """All of it.

    Attributes:
        table: itself.
        tree: the table and its partitions.
        columns: in order.
        unique: indexes, the primary key's first.
        triggers: names of those that decide about a row before it is written, and whether at an INSERT.
        keys: foreign keys.
        read_only: whether transactions are read-only unless they say so.
        unlogged_positions: whether the table of positions is unlogged.
    """

    table: Table
    tree: list[Part]
    columns: list[Attribute]
    unique: list[Unique]
    triggers: list[tuple[str, bool]]
    keys: list[ForeignKey]
    read_only: bool
    unlogged_positions: bool

    def named(self, numbers: Sequence[int]) -> list[str]:
        """Return the names of the columns with these numbers."""
        names = {one.number: one.name for one in self.columns}
        return [names[number] for number in numbers]


def find_oid(session: psycopg.Connection[Any], table: str) -> int | None:
    """Return the OID of a table by its name as the user wrote it; None if there is none, or a schema is hidden."""
    try:
        [[(oid,)]] = ask(session, sql.SQL(questions.FIND).format(table_of(table)))
    except psycopg.errors.InsufficientPrivilege:
        return None
    return None if oid is None else int(oid)


def look_up(session: psycopg.Connection[Any], oid: int, positions: str) -> Found:
    """Return what the catalog says about a table, in one round trip.

    Args:
        session: to query; it is left as it was.
        oid: of the table.
        positions: name of the table that positions are kept in.
    """
    each = (
        *(questions.TABLE, questions.TREE, questions.COLUMNS),
        *(questions.INDEXES, questions.TRIGGERS, questions.KEYS),
    )
    statements = [sql.SQL(one).format(oid=sql.SQL(str(oid))) for one in each]
    server = sql.SQL(questions.SERVER).format(positions=table_of(positions))
    [(read_only, unlogged)], *answers = ask(session, server, questions.PATH, *statements)
    [table], tree, columns, indexes, triggers, keys = answers
    return Found(
        Table(*table),
        [Part(*row) for row in tree],
        [Attribute(*row) for row in columns],
        [Unique(*row) for row in indexes],
        [(name, bool(inserting)) for name, inserting in triggers],
        [ForeignKey(*row) for row in keys],
        bool(read_only),
        bool(unlogged),
    )


def oids_of(session: psycopg.Connection[Any], tables: Sequence[str]) -> dict[int, str]:
    """Return the names of tables as the user wrote them, by OID; those that are not there are left out."""
    if not tables:
        return {}
    found = ask(session, *(sql.SQL(questions.FIND).format(table_of(one)) for one in tables))
    return {int(oid): name for name, [(oid,)] in zip(tables, found, strict=True) if oid is not None}
