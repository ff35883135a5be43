"""Shape of a target table of PostgreSQL, or all that keeps it from being written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model.changes import TargetColumn, TargetShape
from airflow_legacy_events.core.ports.target import Wanted
from airflow_legacy_events.databases.postgres.entries import TABLE
from airflow_legacy_events.databases.postgres.replication import written_elsewhere
from airflow_legacy_events.databases.postgres.target import keys, refusals, warned
from airflow_legacy_events.databases.postgres.target.catalog import Found, Unique, find_oid, look_up, oids_of
from airflow_legacy_events.databases.postgres.target.columns import column_of, field_of
from airflow_legacy_events.databases.postgres.target.facts import Facts
from airflow_legacy_events.databases.postgres.types import Type, find_types

_ORDERED = frozenset(
    {
        *(Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.SINGLE, Kind.MONEY),
        *(Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT, Kind.TEXT),
    }
)
_MARKS = frozenset({Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT})


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
        return None
    found = look_up(session, oid, positions)
    elsewhere, _ = written_elsewhere(session, [one.oid for one in found.tree])
    wrong = list(refusals.of_table(found, elsewhere, positions))
    if not wrong:
        types = find_types(session, [one.oid for one in found.columns])
        shaping = _Shaping(table, wanted, found, types, oids_of(session, wanted.others))
        shape = shaping.shape()
        wrong = shaping.wrong
    if wrong:
        raise ConfigurationError(f"table {table!r} can't be written to as it is: {'; '.join(wrong)}".rstrip())
    return shape


@dataclass
class _Shaping:
    """Builds the shape, and collects what is wrong with what is wanted."""

    table: str
    wanted: Wanted
    found: Found
    types: Mapping[int, Type]
    others: Mapping[int, str]
    wrong: list[str] = field(default_factory=list)

    def shape(self) -> TargetShape:
        wanted, found = self.wanted, self.found
        self.places = {one.name: at for at, one in enumerate(found.columns)}
        index = self._key()
        numbers = [] if index is None else index.numbers
        places = {one.number: at for at, one in enumerate(found.columns)}
        key = tuple(places[number] for number in numbers)
        columns = tuple(column_of(one, self.types[one.oid], in_key=at in key) for at, one in enumerate(found.columns))
        return TargetShape(
            self.table,
            columns,
            key,
            self._facts(index),
            version=self._place("version_column", wanted.version, columns, _ORDERED),
            deleted=self._marked(columns),
            repeats=self._repeats(columns),
            parents=tuple(self._parents()),
            warnings=tuple(warned.of_table(found, wanted, index)),
            infinite=True,
        )

    def _key(self) -> Unique | None:
        if self.wanted.append:
            return None
        named = self._existing("key_columns", self.wanted.key)
        if len(named) < len(self.wanted.key):
            return None
        index = keys.find_key(self.found, named)
        if index is None:
            self.wrong.append(keys.missing_key(self.found, named))
        return index

    def _existing(self, option: str, names: Sequence[str]) -> list[str]:
        if missing := [one for one in names if one not in self.places]:
            self.wrong.append(
                f"{option} names {', '.join(map(repr, missing))}, and its columns are {', '.join(self.places)}"
            )
        return [one for one in names if one in self.places]

    def _place(
        self, option: str, name: str | None, columns: Sequence[TargetColumn], kinds: frozenset[Kind]
    ) -> int | None:
        if name is None or not self._existing(option, [name]):
            return None
        column = columns[self.places[name]]
        if column.kind not in kinds or not column.written:
            self.wrong.append(f"{option} {name!r} is of type {column.type}, which can't serve as one")
        return self.places[name]

    def _marked(self, columns: Sequence[TargetColumn]) -> int | None:
        place = self._place("deleted_column", self.wanted.deleted, columns, _MARKS)
        if place is not None and columns[place].kind is not Kind.BOOLEAN and not columns[place].nullable:
            named, table = self.found.columns[place].quoted, self.found.table.name
            self.wrong.append(
                f"deleted_column {columns[place].name!r} is NOT NULL, and a row that is there has no time of deletion:"
                f" ALTER TABLE {table} ALTER COLUMN {named} DROP NOT NULL"
            )
        return place

    def _repeats(self, columns: Sequence[TargetColumn]) -> tuple[int, ...]:
        if not self.wanted.append or self.wanted.event_id is None:
            return ()
        if not self._existing("metadata_columns", [self.wanted.event_id]):
            return ()
        place = self.places[self.wanted.event_id]
        number = self.found.columns[place].number
        unique = any(one.numbers == [number] and one.immediate for one in keys.usable(self.found))
        return (place,) if unique and columns[place].written else ()

    def _facts(self, index: Unique | None) -> Facts:
        found = self.found
        fields = [field_of(one) for one in found.columns]
        spelled = [
            at
            for at, one in enumerate(found.columns)
            if index is not None and one.number in index.numbers and keys.is_spelled(one)
        ]
        return Facts(
            found.tree[0].oid,
            found.table.name,
            "ONLY " if found.table.kind == TABLE else "",
            fields,
            equals=() if index is None else tuple(index.equals),
            key_indexes=frozenset() if index is None else frozenset(index.names),
            inferred=index is not None and index.immediate,
            spelled=spelled,
            before_insert=any(inserting for _, inserting in found.triggers),
            triggers=[name for name, _ in found.triggers],
            temporary=found.table.temporary,
            user=found.table.user,
        )

    def _parents(self) -> Iterator[str]:
        oid = self.found.tree[0].oid
        for one in self.found.keys:
            if one.own and one.parent != oid:
                yield self.others.get(one.parent, one.parent_name)
