"""The change log of MariaDB and MySQL, assembled from its parts; see `core.ports.ChangeLog`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from airflow_legacy_events.core.model.log import LogChunk, LogPosition, LogState, TableName
from airflow_legacy_events.core.ports import LogColumn, LogOptions, LogSnapshot, LogTable
from airflow_legacy_events.databases.mysql.changelog import beginning, creation, locating, places, snapshot, state
from airflow_legacy_events.databases.mysql.changelog.comparing import Comparison
from airflow_legacy_events.databases.mysql.changelog.ending import find_end
from airflow_legacy_events.databases.mysql.changelog.foreign_keys import unlogged
from airflow_legacy_events.databases.mysql.changelog.forms import COLUMNS, BinlogForms
from airflow_legacy_events.databases.mysql.changelog.looking import Looking
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.reader import BinlogReader
from airflow_legacy_events.databases.mysql.changelog.reading import readers
from airflow_legacy_events.databases.mysql.changelog.server import LogServer
from airflow_legacy_events.databases.mysql.changelog.session import LogSession
from airflow_legacy_events.databases.mysql.changelog.stored import KEPT, check_stored, place_of
from airflow_legacy_events.databases.mysql.changelog.tables import databases_in, find_tables


class BinlogChangeLog:
    """The change log of one server of MariaDB or MySQL: its binlog, which it keeps for itself.

    Args:
        session: for statements beside those that read rows.
        access: ways into the server.
        server: returns the server, as it is when the run begins.
        database: that the connection names; empty if it names none.
        options: of the stream.
    """

    def __init__(
        self,
        session: LogSession,
        access: BinlogAccess,
        server: Callable[[], LogServer],
        database: str,
        options: LogOptions,
    ) -> None:
        self._session, self._access, self._options = session, access, options
        self.database = database
        self._looking = Looking(session, access, options, server)
        self._comparison = Comparison(session)
        self._entries: dict[TableName, LogTable] = {}
        self._stored: dict[str, Any] = {}
        self._moved: tuple[LogPosition, LogPosition] | None = None
        self._read_to: BinlogPlace | None = None
        self._saved: str | None = None

    @property
    def product(self) -> str:
        """See `core.ports.ChangeLog.product`."""
        return self._looking.server.product

    def recall(self, stored: Mapping[str, Any]) -> None:
        """See `core.ports.ChangeLog.recall`.

        Raises:
            WatermarkError: a fact can't be understood.
        """
        check_stored(self._options.stream, stored)
        self._stored = dict(stored)

    def tables(self, patterns: Sequence[str]) -> Sequence[TableName]:
        """See `core.ports.ChangeLog.tables`; tables that can't be found may lack a GRANT, so all rights are checked."""
        folds = self._looking.server.folds_names
        found, problems = find_tables(self._session, patterns, self._access.log, folds=folds)
        if problems.found:
            with problems.collect():
                self._looking.check([], databases_in(patterns))
        problems.raise_found()
        return found

    def check(self, tables: Sequence[LogTable]) -> None:
        """See `core.ports.ChangeLog.check`."""
        self._entries |= {one.name: one for one in tables}
        self._looking.check(tables)

    def guard(
        self,
        stored: Mapping[str, Any] | None,
        position: LogPosition | None,
        renewed: Collection[TableName] = (),  # noqa: ARG002  the log of a table does not depend on others
    ) -> Mapping[str, Any]:
        """See `core.ports.ChangeLog.guard`."""
        self.recall(stored or {})
        if position is not None:
            place = place_of(self._options.stream, position.place)
            found = self._looking.continued(self._stored, place)
            if found is not None:
                self._moved = position, LogPosition(places.text_of(found.place), position.changes)
                self._stored |= found.facts
            self._note(self.located(position).place)
            self._saved = self.located(position).place
        return self.facts()

    def located(self, position: LogPosition) -> LogPosition:
        """See `core.ports.ChangeLog.located`."""
        if self._moved is not None and position.place == self._moved[0].place:
            return self._moved[1]
        return position

    def end(self) -> str:
        """See `core.ports.ChangeLog.end`."""
        return places.text_of(find_end(self._session).place)

    def compare(self, one: str, other: str) -> int:
        """See `core.ports.ChangeLog.compare`."""
        return places.compare(one, other)

    def begin(self, tables: Sequence[LogTable]) -> LogPosition:
        """See `core.ports.ChangeLog.begin`: a place behind which everything is known, also of prepared transactions."""
        found = beginning.begin(self._session, self._looking.server, [one.name for one in tables])
        self._stored |= {**found.facts, **self._file_of(found.place)}
        self._note_columns()
        for one in self._looking.first_warnings():
            self._access.log.warning("%s", one)
        self._note(places.text_of(found.place))
        return LogPosition(places.text_of(found.place))

    def join(self, tables: Sequence[LogTable]) -> None:
        """See `core.ports.ChangeLog.join`: the log has all tables anyway."""
        beginning.join(self._session, self._stored, [one.name for one in tables])
        self._entries |= {one.name: one for one in tables}
        self._note_columns()

    def facts(self) -> Mapping[str, Any]:
        """See `core.ports.ChangeLog.facts`."""
        kept = {name: self._stored[name] for name in KEPT if name in self._stored}
        return {"server": self._looking.server.identity, **kept}

    def untold(self, stored: Mapping[str, Any]) -> Mapping[TableName, Sequence[str]]:  # noqa: ARG002
        """See `core.ports.ChangeLog.untold`: statements that change tables are in the log."""
        return {}

    def unlogged(self, tables: Sequence[LogTable]) -> Sequence[str]:
        """See `core.ports.ChangeLog.unlogged`."""
        return unlogged(self._session, self._looking.server, [one.name for one in tables])

    def omitted(self, table: TableName) -> frozenset[str]:
        """See `core.ports.ChangeLog.omitted`."""
        return self._forms.omitted(table)

    def columns(self, table: TableName) -> Mapping[str, LogColumn]:
        """See `core.ports.ChangeLog.columns`."""
        return self._forms.columns(table)

    def read(self, after: LogPosition, until: str, rows: int) -> Iterator[LogChunk]:
        """See `core.ports.ChangeLog.read`."""
        for chunk in self._reader.read(after, until, rows):
            self._note(chunk.end.place)
            chunk.facts = {**chunk.facts, **self._more_of(chunk)}
            self._stored |= chunk.facts
            yield chunk

    def acknowledge(self, place: str) -> None:
        """See `core.ports.ChangeLog.acknowledge`: the server keeps nothing for a stream."""
        self._saved = self.located(LogPosition(place)).place

    def snapshot(self, tables: Sequence[LogTable]) -> AbstractContextManager[LogSnapshot]:
        """See `core.ports.ChangeLog.snapshot`."""
        names, access = [one.name for one in tables], self._access
        return snapshot.taken(
            self._session, access.hold, access.look, names, server=self._looking.server, read=self._read_to
        )

    def beyond(self, table: LogTable, reached: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> list[bool]:
        """See `core.ports.ChangeLog.beyond`."""
        return self._comparison.beyond(table, reached, keys)

    def unseen(self, transactions: Collection[int]) -> tuple[int, ...]:  # noqa: ARG002
        """See `core.ports.ChangeLog.unseen`: a snapshot sees everything before its place."""
        return ()

    def state(self) -> LogState:
        """See `core.ports.ChangeLog.state`."""
        return state.find_state(self._session, self._saved)

    def close(self) -> None:
        """See `core.ports.ChangeLog.close`."""
        if "_reader" in vars(self):
            self._reader.close()
        self._session.close()

    def _more_of(self, chunk: LogChunk) -> Mapping[str, Any]:
        """Return what distinguishes this log from others, whose files and GTIDs may have the same names."""
        last = locating.last_of(chunk) if self._looking.server.mariadb else {}
        return {**last, **self._file_of(places.place_in(chunk.end.place))}

    def _file_of(self, place: BinlogPlace) -> Mapping[str, Any]:
        """Return the facts of a place's file, if they are new."""
        return creation.noted(self._access.dump, place.file, self._stored)

    def _note_columns(self) -> None:
        """Keep the columns of all tables as they are now: a later run may find them renamed."""
        vars(self).pop("_forms", None)
        self._stored[COLUMNS] = self._forms.facts()

    def _note(self, place: str) -> None:
        found = places.place_in(place)
        if self._read_to is None or places.order(found) > places.order(self._read_to):
            self._read_to = found

    @functools.cached_property
    def _forms(self) -> BinlogForms:
        """Made once a column is looked up, by what is known of the tables then."""
        return BinlogForms(self._access, list(self._entries.values()), self._stored, readers(self._access))

    @functools.cached_property
    def _reader(self) -> BinlogReader:
        """Made once it reads, since it needs to know the tables and where it begins."""
        self._forms = BinlogForms(self._access, list(self._entries.values()), self._stored, readers(self._access))
        return BinlogReader(
            self._access, self._forms, tables=list(self._entries), stored=self._stored, before=self._options.before
        )
