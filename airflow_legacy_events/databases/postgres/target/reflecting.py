"""Shape of a target table of PostgreSQL, or all that keeps it from being written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import Wanted
from airflow_legacy_events.databases.applying.keys import Reflected, roles_of
from airflow_legacy_events.databases.postgres.entries import TABLE
from airflow_legacy_events.databases.postgres.replication import written_elsewhere
from airflow_legacy_events.databases.postgres.target import keys, refusals, sequences, warned
from airflow_legacy_events.databases.postgres.target.catalog import Found, Unique, find_oid, look_up, oids_of
from airflow_legacy_events.databases.postgres.target.columns import column_of, field_of, is_numbered
from airflow_legacy_events.databases.postgres.target.facts import Facts
from airflow_legacy_events.databases.postgres.target.packing import CopyLines, named_positions
from airflow_legacy_events.databases.postgres.types import Type, find_types


def reflect(session: psycopg.Connection[Any], table: str, wanted: Wanted, positions: str) -> TargetShape | None:
    """Return the shape of a table; None if there is none of that name.

    Args:
        session: to query; it is left as it was.
        table: as the user wrote it.
        wanted: how it is to be written.
        positions: name of the table that positions are kept in.

    Raises:
        ConfigurationError: it can't be written to as wanted.
    """
    oid = find_oid(session, table)
    if oid is None:
        refusals.refuse_hidden(session, table)
        return None
    found = look_up(session, oid, positions)
    elsewhere, _ = written_elsewhere(session, [one.oid for one in found.tree])
    wrong = list(refusals.of_table(found, elsewhere, positions))
    if not wrong:
        types = find_types(session, [one.oid for one in found.columns])
        shaping = _Shaping(session, table, wanted, found, types, oids_of(session, wanted.others))
        shape = shaping.shape()
        wrong = shaping.wrong
    if wrong:
        raise ConfigurationError(f"table {table!r} can't be written to as it is: {'; '.join(wrong)}".rstrip())
    return shape


@dataclass
class _Shaping:
    """Builds the shape, and collects what is wrong with what is wanted."""

    session: psycopg.Connection[Any]
    table: str
    wanted: Wanted
    found: Found
    types: Mapping[int, Type]
    others: Mapping[int, str]
    wrong: list[str] = field(default_factory=list)

    def shape(self) -> TargetShape | None:
        wanted, found = self.wanted, self.found
        columns = tuple(column_of(one, self.types[one.oid], in_key=False) for one in found.columns)
        usable = keys.usable(found)
        named = {one.name: tuple(found.named(one.numbers)) for one in usable}
        primary = next((named[one.name] for one in usable if one.primary), ())
        unique = tuple(names for names in named.values() if names != primary)
        roles = roles_of(Reflected(self.table, columns, primary, unique), wanted, self.wrong)
        if self.wrong:
            self.wrong += keys.remedies(found, wanted.key)
            return None
        index = keys.index_of(usable, [found.columns[at].number for at in roles.key])
        in_key = frozenset(roles.key)
        columns = tuple(
            column_of(one, self.types[one.oid], in_key=at in in_key) for at, one in enumerate(found.columns)
        )
        return TargetShape(
            self.table,
            columns,
            roles.key,
            self._facts(index, roles.key),
            version=roles.version,
            deleted=roles.deleted,
            repeats=roles.repeats if keys.are_immediate(usable, found, roles.repeats) else (),
            parents=tuple(self._parents()),
            warnings=(*warned.of_table(found, wanted, index), *self._sequences(roles.key)),
            infinite=True,
            packing=CopyLines(named_positions(columns, roles.deleted), len(columns)),
        )

    def _sequences(self, key: tuple[int, ...]) -> list[str]:
        numbered = [self.found.columns[at] for at in key if is_numbered(self.found.columns[at])]
        return sequences.behind(self.session, self.found.table, numbered)

    def _facts(self, index: Unique | None, key: tuple[int, ...]) -> Facts:
        found = self.found
        equals = {} if index is None else dict(zip(index.numbers, index.equals, strict=True))
        return Facts(
            found.tree[0].oid,
            found.table.name,
            "ONLY " if found.table.kind == TABLE else "",
            [field_of(one) for one in found.columns],
            equals=[equals[found.columns[at].number] for at in key],
            key_indexes=frozenset() if index is None else frozenset(index.names),
            inferred=index is not None and keys.are_all_immediate(found, index),
            spelled=[at for at in key if keys.is_spelled(found.columns[at])],
            before_insert=any(inserting for _, inserting in found.triggers),
            triggers=[name for name, _ in found.triggers],
            temporary=found.table.temporary,
            user=found.table.user,
            unread=frozenset(at for at, one in enumerate(found.columns) if one.name in found.table.unread),
        )

    def _parents(self) -> Iterator[str]:
        oid = self.found.tree[0].oid
        for one in self.found.keys:
            if one.own and one.parent != oid:
                yield self.others.get(one.parent, one.parent_name)
