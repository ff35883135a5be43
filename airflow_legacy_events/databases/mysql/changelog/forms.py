"""Forms of tables at each place of the log, from its table maps, the shapes of the last run and the catalog."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from airflow_legacy_events.core.model.log import LogForm, TableName
from airflow_legacy_events.core.ports import LogColumn, LogTable
from airflow_legacy_events.databases.mysql.changelog.ahead import alters_ahead
from airflow_legacy_events.databases.mysql.changelog.binlog.query import Query
from airflow_legacy_events.databases.mysql.changelog.collations import Collations
from airflow_legacy_events.databases.mysql.changelog.columns import Catalog, log_columns
from airflow_legacy_events.databases.mysql.changelog.declared import precise
from airflow_legacy_events.databases.mysql.changelog.described import by_name, describe, logged, matches
from airflow_legacy_events.databases.mysql.changelog.effects import Effects
from airflow_legacy_events.databases.mysql.changelog.images import Ordered, ReaderOf, images_of
from airflow_legacy_events.databases.mysql.changelog.labels import doubt
from airflow_legacy_events.databases.mysql.changelog.model import (
    BinlogAccess,
    BinlogPlace,
    Effect,
    LoggedColumn,
    ReadTable,
    TableMap,
)
from airflow_legacy_events.databases.mysql.changelog.shape import TableShape, numbered, shape_in
from airflow_legacy_events.databases.mysql.changelog.statements import found_in
from airflow_legacy_events.databases.mysql.changelog.unknown import UnknownColumnsError

COLUMNS = "columns"
"""Name of the facts of `BinlogForms` in those of a watermark."""

_TABLES = "tables"


class BinlogForms:
    """See `model.Forms`; one for a run.

    Args:
        access: ways into the server.
        tables: of the stream.
        stored: facts of the watermark; under `COLUMNS` what `facts` returned.
        reader_of: makes the reader of a table map's images.
    """

    def __init__(
        self, access: BinlogAccess, tables: Sequence[LogTable], stored: Mapping[str, Any], reader_of: ReaderOf
    ) -> None:
        self._access, self._reader_of = access, reader_of
        self._tables = {one.name: one for one in tables}
        self._catalog, self._collations = Catalog(access), Collations(access)
        self._shapes = {TableName(*one[:2]): shape_in(one[2]) for one in (stored.get(COLUMNS) or {}).get(_TABLES, ())}
        self._read: dict[tuple[TableName, bytes], ReadTable | UnknownColumnsError] = {}
        self._forms: dict[TableName, list[LogForm]] = {}
        self._said: set[str] = set()

    def wanted(self, database: str, table: str) -> TableName | None:
        """See `model.Forms.wanted`."""
        return self._names.get(self._folded(database, table))

    def of(self, map_: TableMap, where: BinlogPlace) -> ReadTable:
        """See `model.Forms.of`.

        Raises:
            UnknownColumnsError: a key column is missing, or the log does not name the columns and nothing else does.
        """
        table = self.wanted(map_.database, map_.table)
        if table is None:
            raise KeyError(f"{map_.database}.{map_.table}")
        key = table, map_.raw
        if (found := self._read.get(key)) is None:
            try:
                shape = self._shapes[table] = self._shape_of(table, map_, where)
                found = self._table(table, shape, map_, where)
            except UnknownColumnsError as error:
                found = error
            self._read[key] = found
        if isinstance(found, UnknownColumnsError):
            raise found
        return found

    def effects(
        self,
        statement: str,
        database: str,
        where: BinlogPlace,  # noqa: ARG002
        *,
        collation: int | None = None,
        backslashes: bool = True,
    ) -> Sequence[Effect]:
        """See `model.Forms.effects`."""
        text = self._collations.text(statement, collation)
        found = self._effects.of(found_in(text, backslashes=backslashes), database)
        for one in {*found.touched}:
            self._read = {key: value for key, value in self._read.items() if key[0] != one}
        return found.effects

    def facts(self) -> Mapping[str, Any]:
        """See `model.Forms.facts`: a list of database, table and shape."""
        found = ((table, self._known(table)) for table in sorted(self._tables))
        return {_TABLES: [[*table, shape.as_fact()] for table, shape in found if shape is not None]}

    def columns(self, table: TableName) -> Mapping[str, LogColumn]:
        """Return the columns of a table now; see `core.ports.ChangeLog.columns`.

        Numbers are ours: they are kept for columns that were renamed since, if that is certain.
        """
        now = self._catalog.columns(table)
        if now is None:
            return {}
        shape = self._shapes.setdefault(table, now.shape)
        return log_columns(numbered(replace(shape, exact=False), now.shape.columns), now)

    def omitted(self, table: TableName) -> frozenset[str]:
        """Return the columns that images of rows may lack; see `core.ports.ChangeLog.omitted`."""
        now = self._catalog.columns(table) if self._catalog.leaves_out else None
        return frozenset() if now is None else frozenset(one.name for one in now.shape.columns if one.left_out)

    @cached_property
    def _names(self) -> dict[tuple[str, str], TableName]:
        return {self._folded(*one): one for one in self._tables}

    def _folded(self, database: str, table: str) -> tuple[str, str]:
        return (database.casefold(), table.casefold()) if self._catalog.folds else (database, table)

    @cached_property
    def _effects(self) -> Effects:
        return Effects(self.wanted, self._tables, self._shapes, self._known, self._catalog, self._folded)

    def _known(self, table: TableName) -> TableShape | None:
        """Return the shape of a table; the catalog's if the last run left none."""
        if table not in self._shapes and (now := self._catalog.columns(table)) is not None:
            self._shapes[table] = now.shape
        return self._shapes.get(table)

    def _shape_of(self, table: TableName, map_: TableMap, where: BinlogPlace) -> TableShape:
        """Return the shape by which the rows of a table map are read."""
        known = self._known(table)
        if known is not None and not known.altered and matches(known, map_, self._collations):
            return known
        now = self._catalog.columns(table)
        known = known or (TableShape(()) if now is None else now.shape)
        if now is not None and matches(now.shape, map_, self._collations):
            if map_.names is None and known.altered and alters_ahead(self._access, where, self._alters(table)):
                raise UnknownColumnsError(table, f"its columns were changed more than once, {self._unnamed}", where)
            return _with(numbered(known, now.shape.columns), now.shape)
        if map_.names is None:
            why = "its columns are neither those of the last run nor those that it has now"
            raise UnknownColumnsError(table, f"{why}, {self._unnamed}", where)
        columns = by_name(known.columns if now is None else (*now.shape.columns, *known.columns))
        found = describe(map_, columns, self._collations)
        return _with(numbered(known, found.columns), found)

    @property
    def _unnamed(self) -> str:
        return "and the log does not name them (SET GLOBAL binlog_row_metadata=FULL, where the server has it)"

    def _alters(self, table: TableName) -> Callable[[Query], bool]:
        """Return what finds further statements that change the columns of a table."""

        def alters(query: Query) -> bool:
            text = self._collations.text(query.text, query.variables.client_collation)
            found = found_in(text, backslashes=query.variables.backslashes)
            return self._effects.reshapes(found, query.database, table)

        return alters

    def _table(self, table: TableName, shape: TableShape, map_: TableMap, where: BinlogPlace) -> ReadTable:
        if (said := doubt(table, shape, map_)) is not None and said not in self._said:
            self._access.log.warning("%s", said)
            self._said.add(said)
        columns, places = logged(shape, map_)
        form = self._form(table, shape, columns, places)
        at = {column.name: place for place, column in enumerate(form.columns)}
        entry = self._tables[table]
        if missing := [name for name in entry.key if name not in at]:
            why = f"key column {missing[0]!r} is none of its columns ({', '.join(at)})"
            raise UnknownColumnsError(table, why, where)
        key = tuple(at[name] for name in entry.key)
        reader, needed = images_of(map_, columns, self._reader_of)
        if shape.row_end is None:
            return ReadTable(form, reader, key, needed=needed)
        if shape.row_end in at:  # rows of the reader have it once more, behind all columns
            reader = Ordered(reader, (*range(len(form.columns)), at[shape.row_end]))
        return ReadTable(form, reader, key, len(form.columns), needed)

    def _form(
        self, table: TableName, shape: TableShape, columns: Sequence[LoggedColumn], places: Sequence[int]
    ) -> LogForm:
        """Return the form that was there before, if it was equal: what was compiled for it is kept by its identity."""
        keyed = {name.casefold(): name for name in self._tables[table].key}  # the server compares them without case
        found = (column for at in places if (column := columns[at].column) is not None)
        own = tuple(one._replace(name=keyed.get(one.name.casefold(), one.name)) for one in found)
        numbers = tuple(shape.columns[at].number for at in places)
        precisely = tuple(precise(shape.columns[at].declared) for at in places)
        form = LogForm(table, own, tuple(one.name for one in own), numbers, precisely)
        known = self._forms.setdefault(table, [])
        for one in known:
            if (one.columns, one.numbers, one.types) == (form.columns, form.numbers, form.types):
                return one
        known.append(form)
        return form


def _with(shape: TableShape, found: TableShape) -> TableShape:
    return replace(shape, hidden=found.hidden, row_end=found.row_end)
