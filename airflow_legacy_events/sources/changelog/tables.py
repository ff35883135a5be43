"""Tables of a change log, each with its key, its message attributes and its rows for a snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Stream, TableName
from airflow_legacy_events.core.ports import ChangeLog, Database, LogColumn, LogTable, Reflection
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.core.uris import path_of
from airflow_legacy_events.sources.changelog.checks import key_of, refuse_unknown_tables
from airflow_legacy_events.sources.changelog.leg_state import KnownColumn, TableProgress
from airflow_legacy_events.sources.changelog.numbers import with_number
from airflow_legacy_events.sources.changelog.topics import needs_database, topics_of
from airflow_legacy_events.sources.order import check_order
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.selection import ColumnRequest, Selection, select_columns

_SCHEMAS_ARE_DATABASES = ("mariadb", "mysql")


@dataclass(frozen=True)
class LoggedTable:
    """A table whose changes are read, with checked arguments.

    Attributes:
        entry: the table as its log knows it.
        stream: attributes of its messages: topic, source and type, and the names of the table.
        excluded: names of columns that are left out, as given.
        numbers: the database's numbers of excluded columns, by name, as far as they are known.
        hidden: names of the columns to leave out, as the catalog has them now.
    """

    entry: LogTable
    stream: Mapping[str, str]
    excluded: tuple[str, ...] = ()
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Return `schema.table`."""
        return str(self.entry.name)

    @property
    def what(self) -> str:
        """The table, for messages."""
        return f"table {self.name!r}"


@dataclass(kw_only=True)
class Tables:
    """Looks up tables by the arguments of a source; see `ChangeLogSource`."""

    database: Database
    log: ChangeLog
    stream: Stream
    source: str
    patterns: Sequence[str]
    key_columns: Mapping[str, Sequence[str]]
    exclude_columns: Mapping[str, Sequence[str]]
    snapshot: Sequence[str]
    images: str

    def find(self, known: Mapping[str, TableProgress]) -> dict[str, LoggedTable]:
        """Return the tables of the stream by `schema.table`; every fault is reported.

        Args:
            known: progress by table; it holds the numbers of excluded columns that were renamed.

        Raises:
            LegacyEventsError: the only fault, or one error that lists all.
        """
        names = self.log.tables(self.patterns)
        problems = Problems()
        with problems.collect():
            refuse_unknown_tables(
                map(str, names),
                {
                    "key_columns=": self.key_columns,
                    "exclude_columns=": self.exclude_columns,
                    'the configuration {"snapshot": [...]}': self.snapshot,
                },
            )
        topics: Mapping[TableName, str] = dict.fromkeys(names, "")
        with problems.collect():
            topics = topics_of(self.stream.topic, self._database_name(), names)
        found: dict[str, LoggedTable] = {}
        for name in names:
            with problems.collect():
                found[str(name)] = self._find(name, topics[name], known.get(str(name)))
        with problems.collect():
            self.log.check([one.entry for one in found.values()])
        problems.raise_found()
        return found

    def again(self, table: LoggedTable, known: TableProgress | None) -> LoggedTable:
        """Return a table as it is by now."""
        return self._find(table.entry.name, table.stream["topic"], known)

    def rows(self, table: LoggedTable) -> Rows:
        """Return the rows of a table for a snapshot, in the order of its key; without columns that its log leaves out.

        Raises:
            ConfigurationError: a column can't be read or carried.
        """
        found = table.entry.reflection
        selection = self._select(table, self.log.omitted(table.entry.name))
        data = selection.shape.data
        before = data if self.images == "both" else ()  # a row of a snapshot has no old row, and says so
        shape = replace(selection.shape, table=table.name, stream=table.stream, before=before)
        return Rows(
            self.database,
            table.what,
            found.selectable,
            replace(selection, shape=shape, op="r"),
            self.stream.source_timezone,
            small=found.small,
            stream=self.stream.name,
            table=table.entry.written,
            state=found.state,
        )

    def columns_now(self, table: LoggedTable) -> tuple[KnownColumn, ...]:
        """Return the columns that the log has of a table, as the catalog has them now."""
        numbers, omitted = self.log.columns(table.entry.name), self.log.omitted(table.entry.name)
        return tuple(
            KnownColumn(one.name, now.type or one.type, now.number)
            for one in table.entry.reflection.columns
            if one.name not in omitted
            for now in (numbers.get(one.name, LogColumn()),)
        )

    def outdated(self, table: LoggedTable, known: TableProgress) -> bool:
        """Whether columns came or went since the table was looked up, or one is known by now to be left out."""
        columns = self.log.columns(table.entry.name)
        left_out = {number for name, found in known.excluded.items() if name in table.excluded for number in found}
        if any(one.number in left_out and name not in table.hidden for name, one in columns.items()):
            return True
        there, now = set(_names(table.entry.reflection)), set(columns)
        return not there <= now or not (now <= there or table.entry.reflection.withheld.hides)

    def _database_name(self) -> str:
        if self.log.product in _SCHEMAS_ARE_DATABASES or not needs_database(self.stream.topic):
            return ""
        return str(self.database.identity().get("database", ""))

    def _find(self, name: TableName, topic: str, known: TableProgress | None) -> LoggedTable:
        text = str(name)
        written = ".".join(map(self.database.quoted, name))
        found = self.database.reflect(written, None)
        key = self._key(name, found)
        stream = {"topic": topic, "source": path_of(self.source, text), "type": f"{self.source}.{text}.changed"}
        stream |= {"database": self.log.database, "product": self.log.product}
        stream |= {"schema": name.schema, "table": name.name}
        table = LoggedTable(LogTable(name, found, key, written), stream)
        if excluded := tuple(self.exclude_columns.get(text, ())):
            table = self._excluding(table, excluded, known)
        check_order(self.database, table.what, found.selectable, self._select(table, frozenset()))
        return table

    def _key(self, name: TableName, found: Reflection) -> tuple[str, ...]:
        """Return the key columns of a table; of a primary key without the end of a version."""
        given = self.key_columns.get(str(name))
        key = key_of(f"table {str(name)!r}", found, given, self.database)
        kinds = {column.name: column.kind for column in found.columns}
        if given is not None or len(key) == 1 or kinds.get(key[-1]) is not Kind.INSTANT:
            return key
        columns = self.log.columns(name)
        return tuple(one for one in key if one not in columns or not columns[one].period)

    def _excluding(self, table: LoggedTable, excluded: tuple[str, ...], known: TableProgress | None) -> LoggedTable:
        """Return the table without columns: each is looked for by its name, and by the number it once had."""
        now = self.log.columns(table.entry.name)
        there = _names(table.entry.reflection)
        held = {} if known is None else known.excluded
        numbers = {name: found for name, found in held.items() if name in excluded}
        for name in [one for one in now if one in excluded]:
            numbers = with_number(numbers, name, now[name].number)
        uncertain = any(one.number is None for one in now.values())  # one of them may be another name of it
        if missing := [name for name in excluded if name not in there and (uncertain or name not in numbers)]:
            raise ConfigurationError(
                f"exclude_columns= names {', '.join(map(repr, missing))}, which {table.what} does not have; it has"
                f" {', '.join(map(repr, there))}. Nothing was read; correct exclude_columns="
            )
        left_out = {number for found in numbers.values() for number in found}
        renamed = {name for name, one in now.items() if one.number in left_out}
        hidden = frozenset(renamed | (set(excluded) & set(there)))
        entry = table.entry._replace(excluded=tuple(sorted(hidden)))
        return replace(table, entry=entry, excluded=excluded, numbers=numbers, hidden=hidden)

    def _select(self, table: LoggedTable, omitted: frozenset[str]) -> Selection:
        found = table.entry.reflection
        left_out = tuple(name for name in _names(found) if name in table.hidden or name in omitted)
        request = ColumnRequest(table.what, (), key_columns=table.entry.key, exclude_columns=left_out)
        return select_columns(request, found)


def _names(found: Reflection) -> list[Any]:
    return [*(column.name for column in found.columns), *found.refused, *found.withheld.names]
