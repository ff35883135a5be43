"""Relations of the log: what their columns are, and how their changes are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.model.log import LogForm, TableName
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.postgres.changelog.changes import Changes
from airflow_legacy_events.databases.postgres.changelog.numbers import numbers_of
from airflow_legacy_events.databases.postgres.changelog.options import ReaderOptions
from airflow_legacy_events.databases.postgres.changelog.pgoutput import Relation
from airflow_legacy_events.databases.postgres.changelog.tuples import Tuples
from airflow_legacy_events.databases.postgres.expectation import carried
from airflow_legacy_events.databases.postgres.session import reason
from airflow_legacy_events.databases.postgres.statement import Field
from airflow_legacy_events.databases.postgres.types import Type, find_types, holds_money

_DOING = "looking at a table that the change log names"
_FULL, _BY_INDEX = "f", "di"
_FIRST_OF_CATALOG = 10_000  # types below it are the same on every server, and none is a domain

# A query's result describes a domain as the type below it, and names a type as the session's search path allows.
_AS_A_QUERY = b"SET LOCAL search_path TO DEFAULT"
_BASES = """
WITH RECURSIVE chain (oid, type, modifier) AS (
  SELECT t.oid, t.oid, -1 FROM pg_catalog.pg_type AS t WHERE t.oid OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.oid[])
  UNION ALL
  SELECT c.oid, t.typbasetype, t.typtypmod
    FROM chain AS c JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) c.type
   WHERE t.typtype OPERATOR(pg_catalog.=) 'd'
)
SELECT c.oid::pg_catalog.int8, c.type::pg_catalog.int8, c.modifier
  FROM chain AS c JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) c.type
 WHERE t.typtype OPERATOR(pg_catalog.<>) 'd'
"""
_ATTRIBUTES = """
SELECT a.attnum::pg_catalog.int4, CASE WHEN NOT a.attisdropped THEN a.attname END
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE n.nspname OPERATOR(pg_catalog.=) %s::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) %s::pg_catalog.name
   AND a.attnum OPERATOR(pg_catalog.>) 0
"""


class Relations:
    """Relations of one stream by oid. Equal descriptions of a table share one `LogForm`.

    Args:
        options: of the reader.

    Attributes:
        cents: whether money is written in hundredths; else it is left out, as a query refuses it.
        found: how the changes of each relation are read, by oid; those that the stream has described.
    """

    def __init__(self, options: ReaderOptions) -> None:
        self._options, self.cents = options, True
        self.found: dict[int, Changes] = {}
        self._types: dict[int, Type] = {}
        self._named: dict[int, str] = {}
        self._forms: dict[TableName, list[LogForm]] = {}

    def name_type(self, oid: int, name: str) -> None:
        """Keep the name of a type that is not built in; it may have been dropped since."""
        self._named[oid] = name

    def forget(self) -> None:
        """Forget all relations: a new stream describes them again."""
        self.found.clear()

    def add(self, relation: Relation) -> None:
        """Take a relation as the log describes it from here on.

        Raises:
            SourceError: the catalog could not be read.
        """
        table = self._options.root_of(relation.oid, relation.schema, relation.name)
        leaf = table != (relation.schema, relation.name)
        try:
            with self._options.catalog() as session, session.transaction():
                session.execute(_AS_A_QUERY)
                fields = self._fields(session, relation)
                attributes = dict(session.execute(_ATTRIBUTES, tuple(table)).fetchall())
        except psycopg.Error as error:
            raise errors.failed(self._options.conn_id, _DOING, reason(error)) from None
        flagged = [column.name for column in relation.columns if column.identity]
        certain = frozenset(flagged) if relation.identity in _BY_INDEX else frozenset[str]()
        columns, _ = carried(fields, self._types, certain)
        numbers = numbers_of([column.name for column in columns], attributes, ordered=not leaf)
        columns, numbers = _ordered(columns, numbers) if leaf else (columns, numbers)
        held = self._options.held_of(table)
        identity = [one.name for one in columns if one.name in (flagged if held is None else held)]
        form = self._form(LogForm(table, columns, tuple(identity), numbers))
        at = {column.name: place for place, column in enumerate(relation.columns)}
        names = [column.name for column in columns]
        tuples = Tuples(len(relation.columns), [at[name] for name in names], names)
        full = relation.identity == _FULL and held is None
        self.found[relation.oid] = Changes(form, tuples, self._options.key_of(table), full=full, leaf=leaf)

    def _fields(self, session: psycopg.Connection[Any], relation: Relation) -> list[Field]:
        """Return the columns as a query's result would describe them; look up their types."""
        own = [column.type for column in relation.columns if column.type >= _FIRST_OF_CATALOG]
        rows = session.execute(_BASES, (own,)).fetchall() if own else []
        bases = {oid: (base, modifier) for oid, base, modifier in rows}
        gone = {oid: Type(self._named.get(oid, "a type dropped since"), Kind.TEXT) for oid in own if oid not in bases}
        fields = []
        for column in relation.columns:
            base, modifier = bases.get(column.type, (column.type, column.modifier))
            fields.append(Field(column.name, base, column.modifier if base == column.type else modifier))
        wanted = [one.oid for one in fields if one.oid not in gone]
        self._types |= {oid: self._carried(type_) for oid, type_ in find_types(session, wanted).items()} | gone
        return fields

    def _carried(self, type_: Type) -> Type:
        return type_._replace(kind=None) if holds_money(type_) and not self.cents else type_

    def _form(self, form: LogForm) -> LogForm:
        """Return the form that was there before, if it was equal: what was compiled for it is kept by its identity."""
        known = self._forms.setdefault(form.table, [])
        for one in known:
            if (one.columns, one.identity, one.numbers) == (form.columns, form.identity, form.numbers):
                return one
        known.append(form)
        return form


def _ordered(
    columns: Sequence[Column], numbers: Sequence[int | None]
) -> tuple[tuple[Column, ...], tuple[int | None, ...]]:
    """Return the columns of a partition in the order of its root, if all are known."""
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return tuple(columns), tuple(numbers)
    pairs = sorted(zip(known, columns, strict=True), key=lambda pair: pair[0])
    return tuple(column for _, column in pairs), tuple(number for number, _ in pairs)
