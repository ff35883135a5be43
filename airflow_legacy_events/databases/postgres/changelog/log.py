"""PostgreSQL's change log, assembled from its parts; see `core.ports.ChangeLog`."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model.log import LogChunk, LogPosition, LogState, TableName
from airflow_legacy_events.core.ports import LogColumn, LogOptions, LogSnapshot, LogTable
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.databases.postgres.changelog import guards, making, members, places, rights, snapshot, state
from airflow_legacy_events.databases.postgres.changelog.access import Access
from airflow_legacy_events.databases.postgres.changelog.columns import find_columns, find_omitted
from airflow_legacy_events.databases.postgres.changelog.comparing import Comparison
from airflow_legacy_events.databases.postgres.changelog.looking import Looking
from airflow_legacy_events.databases.postgres.changelog.naming import application_of
from airflow_legacy_events.databases.postgres.changelog.occupied import free
from airflow_legacy_events.databases.postgres.changelog.options import ReaderOptions
from airflow_legacy_events.databases.postgres.changelog.partitions import untold
from airflow_legacy_events.databases.postgres.changelog.publication_faults import warnings_of_given
from airflow_legacy_events.databases.postgres.changelog.publication_guard import exchanged
from airflow_legacy_events.databases.postgres.changelog.reader import LogReader
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.settings import find_settings, warnings
from airflow_legacy_events.databases.postgres.changelog.slot import find_slot
from airflow_legacy_events.databases.postgres.changelog.synchronous import refuse_synchronous
from airflow_legacy_events.databases.postgres.changelog.tables import find_tables
from airflow_legacy_events.databases.postgres.changelog.wire import Wires


class PostgresChangeLog:
    """The change log of one PostgreSQL database: pgoutput through a slot and a publication.

    Args:
        access: ways into the database.
        options: of the stream.
    """

    product = "postgresql"

    def __init__(self, access: Access, options: LogOptions) -> None:
        self._access, self._options = access, options
        self._application = application_of(options.stream)
        self._session = LogSession(access.connect, access.conn_id, access.timeout_seconds)
        self._wires = Wires(self._session, access.options, self._application)
        self._looking = Looking(self._session, options, self._wires)
        self._comparison = Comparison(self._session)
        self._tables: dict[TableName, int] = {}
        self._keys: dict[TableName, tuple[str, ...]] = {}
        self._stored: Mapping[str, Any] = {}
        self._renewed: Collection[TableName] = ()
        self._asked = False

    @property
    def database(self) -> str:
        """See `core.ports.ChangeLog.database`."""
        return self._session.database

    def recall(self, stored: Mapping[str, Any]) -> None:
        """See `core.ports.ChangeLog.recall`; `guard` comes in time."""

    def tables(self, patterns: Sequence[str]) -> Sequence[TableName]:
        """See `core.ports.ChangeLog.tables`."""
        self._tables = find_tables(self._session, patterns, self._access.log)
        return list(self._tables)

    def check(self, tables: Sequence[LogTable]) -> None:
        """See `core.ports.ChangeLog.check`."""
        problems = Problems()
        self._keys |= {one.name: one.key for one in tables}
        with problems.collect():
            self._wires.identified  # noqa: B018  connects for replication, which only the server can allow
        server = rights.Server(
            find_settings(self._session),
            find_slot(self._session, self._options.slot or ""),
            self._looking.publication(),
            {one.name: self._tables[one.name] for one in tables},
        )
        rights.check(self._session, self._options, tables, server, problems)
        problems.raise_found()

    def guard(
        self, stored: Mapping[str, Any] | None, position: LogPosition | None, renewed: Collection[TableName] = ()
    ) -> Mapping[str, Any]:
        """See `core.ports.ChangeLog.guard`."""
        self._stored, self._renewed = stored or {}, renewed
        there = self._looking.there(self._tables)
        if stored is None:
            found = guards.first_run(there)
        elif position is None:
            found = guards.begun(there)
        else:
            found = guards.goes_on(there, stored, position, renewed, self._wires.switched)
        problems = Problems()
        for one in found:
            with problems.collect():
                raise one
        problems.raise_found()
        if there.slot is not None:
            free(self._session, there.slot, self._application)
        facts = there.facts()
        if back := exchanged(self._stored, facts):  # what was written before they came back is in no log
            making.wait_for_writers(self._session, back)
        return facts

    def located(self, position: LogPosition) -> LogPosition:
        """See `core.ports.ChangeLog.located`; its places are the same on every server of a history."""
        return position

    def end(self) -> str:
        """See `core.ports.ChangeLog.end`: flushed, or replayed by a standby."""
        if self._asked:  # by one who waits for changes: no sender of the server is kept for that
            self._wires.close()
        self._asked = True
        return state.find_end(self._session)

    def compare(self, one: str, other: str) -> int:
        """See `core.ports.ChangeLog.compare`."""
        return places.compare(one, other)

    def begin(self, tables: Sequence[LogTable]) -> LogPosition:
        """See `core.ports.ChangeLog.begin`."""
        found = find_settings(self._session)
        place = making.begin(self._session, self._options, self._oids(tables), standby=found.standby)
        for one in warnings(found, self._options.slot or ""):
            self._access.log.warning("%s", one)
        publication = self._looking.publication() if self._options.given else None
        for one in warnings_of_given(publication) if publication is not None else ():
            self._access.log.warning("%s", one)
        return LogPosition(place)

    def join(self, tables: Sequence[LogTable]) -> None:
        """See `core.ports.ChangeLog.join`."""
        standby = self._wires.identified.itself.standby
        making.join(self._session, self._options, self._oids(tables), standby=standby)

    def facts(self) -> Mapping[str, Any]:
        """See `core.ports.ChangeLog.facts`."""
        return self._looking.there(self._tables).facts()

    def untold(self, stored: Mapping[str, Any]) -> Mapping[TableName, Sequence[str]]:
        """See `core.ports.ChangeLog.untold`."""
        return untold(self._session, self._tables, members.leaves_in(stored))

    def unlogged(self, tables: Sequence[LogTable]) -> Sequence[str]:  # noqa: ARG002  its log holds every change
        """See `core.ports.ChangeLog.unlogged`."""
        return ()

    def omitted(self, table: TableName) -> frozenset[str]:
        """See `core.ports.ChangeLog.omitted`."""
        found = self._looking.publication()
        stored = not self._options.given if found is None else found.generated == "s"
        return find_omitted(self._session, self._tables[table], stored=stored)

    def columns(self, table: TableName) -> Mapping[str, LogColumn]:
        """See `core.ports.ChangeLog.columns`."""
        return find_columns(self._session, self._tables[table]) if table in self._tables else {}

    def read(self, after: LogPosition, until: str, rows: int) -> Iterator[LogChunk]:
        """See `core.ports.ChangeLog.read`."""
        return self._reader.read(after, until, rows)

    def acknowledge(self, place: str) -> None:
        """See `core.ports.ChangeLog.acknowledge`."""
        self._reader.acknowledge(place)

    def snapshot(self, tables: Sequence[LogTable]) -> AbstractContextManager[LogSnapshot]:
        """See `core.ports.ChangeLog.snapshot`."""
        access, started = self._access, self._wires.identified.itself.started
        return snapshot.taken(self._session, access.hold, access.look, list(self._oids(tables).items()), started)

    def beyond(self, table: LogTable, reached: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> list[bool]:
        """See `core.ports.ChangeLog.beyond`; one statement for all keys."""
        return self._comparison.beyond(table, reached, keys)

    def unseen(self, transactions: Collection[int]) -> tuple[int, ...]:
        """See `core.ports.ChangeLog.unseen`."""
        return snapshot.visible_now(self._session).unseen(transactions)

    def state(self) -> LogState:
        """See `core.ports.ChangeLog.state`."""
        return state.find_state(self._session, self._options.slot or "")

    def close(self) -> None:
        """See `core.ports.ChangeLog.close`."""
        if "_reader" in vars(self):
            self._reader.close()
        self._wires.close()
        self._session.close()

    def _oids(self, tables: Sequence[LogTable]) -> dict[TableName, int]:
        missing = [str(one.name) for one in tables if one.name not in self._tables]
        if missing:
            raise ConfigurationError(f"table {missing[0]!r} is none of tables=; nothing was read")
        return {one.name: self._tables[one.name] for one in tables}

    @functools.cached_property
    def _reader(self) -> LogReader:
        """Made once it reads, since it needs to know the partitions and keys."""
        options = self._options
        if not (options.given or self._wires.identified.itself.standby):
            for one in making.retire(self._session, options, self._tables):
                self._access.log.info("table %s was taken out of publication %s", one, options.publication)
        found = self._looking.members(self._tables, self._stored, self._renewed)
        return LogReader(
            ReaderOptions(
                conn_id=self._access.conn_id,
                connect=self._wires.connect,
                catalog=lambda: self._session.using("reading the change log"),
                slot=options.slot or "",
                publication=options.publication or "",
                transaction=lambda: snapshot.visible_now(self._session).highest,
                root_of=found.root_of,
                key_of=lambda table: self._keys.get(table, ()),
                leaves_of=found.leaves_of,
                held_of=self._looking.held_of(self._tables),
                timeout_seconds=self._access.timeout_seconds,
                before=options.before,
                max_row_bytes=self._access.max_row_bytes,
                messages=options.messages,
                reported=functools.partial(refuse_synchronous, self._session),
                log=self._access.log,
            )
        )
