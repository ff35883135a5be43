"""Rows that are there, updated by one statement from a temporary table; row by row without the right to make one."""

from __future__ import annotations

import hashlib

import MySQLdb

from airflow_legacy_events.databases.mysql.session import code_of
from airflow_legacy_events.databases.mysql.target.columns import TEXTS, CatalogColumn
from airflow_legacy_events.databases.mysql.target.looking import Table
from airflow_legacy_events.databases.mysql.target.rows import Group

_FEW = 8
"""Rows up to which one statement a row is quicker."""

_REFUSED = frozenset({1044, 1142, 1227, 1787, 3652})
"""Errors of a user or a server that makes no temporary tables, in a transaction or at all."""


class Staging:
    """Temporary tables of a transaction.

    Attributes:
        refused: whether none can be made.
    """

    def __init__(self) -> None:
        self.refused = False

    def update(self, table: Table, group: Group) -> bool:
        """Update a group's rows that are there, in their order; return whether that was possible.

        Raises:
            TargetError: the table did not take all rows.
        """
        if self.refused or len(group.rows) <= _FEW:
            return False
        name = _name(table)
        if not self._make(table, group, name):
            return False
        try:
            self._fill(table, group, name)
            names = [table.literals.names[at] for at in table.shape.key]
            joined = b" AND ".join(b"%b.%b=given.%b" % (table.name, one, one) for one in names)
            given = [at for at in group.positions if at not in table.shape.key]
            kept = [at for at, one in enumerate(table.facts.columns) if one.moves and at not in group.positions]
            every = table.literals.names
            sets = [b"%b.%b=given.%b" % (table.name, every[at], every[at]) for at in given]
            sets += [b"%b.%b=%b.%b" % (table.name, every[at], table.name, every[at]) for at in kept]
            statement = b"UPDATE %b given STRAIGHT_JOIN %b ON %b SET %b" % (name, table.name, joined, b",".join(sets))
            if table.sender.change(statement) != len(group.rows):
                raise table.kept_out()
        finally:
            self._drop(table, name)
        return True

    def _make(self, table: Table, group: Group, name: bytes) -> bool:
        columns = [
            b"%b %b" % (table.literals.names[at], _type(table.facts.columns[at], not_null=at in table.shape.key))
            for at in group.positions
        ]
        key = b",".join(table.literals.names[at] for at in table.shape.key)
        statement = b"CREATE TEMPORARY TABLE %b (%b, PRIMARY KEY (%b)) ENGINE=InnoDB" % (name, b",".join(columns), key)
        try:
            table.sender.change(statement)
        except MySQLdb.Error as error:
            if code_of(error) not in _REFUSED:
                raise
            self.refused = True
            return False
        return True

    def _fill(self, table: Table, group: Group, name: bytes) -> None:
        names = b",".join(table.literals.names[at] for at in group.positions)
        before = b"INSERT INTO %b (%b) VALUES " % (name, names)
        for values, _ in table.sender.pieces(table.literals.values(group, group.positions), len(before)):
            table.sender.change(before + values)

    def _drop(self, table: Table, name: bytes) -> None:
        try:
            table.sender.change(b"DROP TEMPORARY TABLE IF EXISTS " + name)
        except MySQLdb.Error:  # the session is lost, and the table with it
            self.refused = True


def _name(table: Table) -> bytes:
    digest = hashlib.sha256(table.name).hexdigest()[:16]
    schema = table.name.rpartition(b".`")[0]
    return b"%b.`legacy_events_given_%b`" % (schema, digest.encode())


def _type(of: CatalogColumn, *, not_null: bool) -> bytes:
    text = of.type
    if of.charset and (of.base in TEXTS or of.base in ("enum", "set")):
        text += f" CHARACTER SET {of.charset} COLLATE {of.collation}"
    return f"{text} {'NOT NULL' if not_null else 'NULL'}".encode()
