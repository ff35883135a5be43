"""Looks at the server: what keeps its log from being read, and whether it continues where a watermark ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.ports import LogOptions, LogTable
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.databases.mysql.changelog import creation, guards, retention, rights, settings
from airflow_legacy_events.databases.mysql.changelog.beginning import Beginning
from airflow_legacy_events.databases.mysql.changelog.ending import find_end, find_files
from airflow_legacy_events.databases.mysql.changelog.gtids import parsed
from airflow_legacy_events.databases.mysql.changelog.locating import PurgedError, Search, last_in
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.places import text_of
from airflow_legacy_events.databases.mysql.changelog.server import LogServer
from airflow_legacy_events.databases.mysql.changelog.session import LogSession
from airflow_legacy_events.databases.mysql.changelog.transactions.state import PASSING, RANGES, pending_in


class Looking:
    """What is there at the server; its settings are queried once.

    Args:
        session: to query.
        access: ways into the server.
        options: of the stream.
        server: returns the server, as it is when the run begins.
    """

    def __init__(
        self, session: LogSession, access: BinlogAccess, options: LogOptions, server: Callable[[], LogServer]
    ) -> None:
        self._session, self._access, self._options, self._server = session, access, options, server
        self._warned = False

    @property
    def server(self) -> LogServer:
        """The server, as it is when the run begins."""
        return self._server()

    def check(self, tables: Sequence[LogTable], databases: Collection[str] = ()) -> None:
        """Check settings, rights and tables; see `core.ports.ChangeLog.check`.

        Args:
            tables: as described.
            databases: of tables that could not be found.

        Raises:
            LegacyEventsError: the only fault, or one error that lists all.
        """
        session, server, problems = self._session, self.server, Problems()
        databases = {*databases, *(one.name.schema for one in tables)}
        rds = retention.find_rds(session)
        filters, replicated = settings.find_filters(session, server), settings.find_sources(session, server)
        found = settings.faults(server, filters, replicated, databases, rds=rds is not None)
        _collect(problems, found)
        _collect(problems, rights.missing(rights.find_grants(session), databases, mariadb=server.mariadb))
        _collect(problems, rights.hidden(tables))
        problems.raise_found()
        if not self._warned:
            for one in retention.warnings(server, rds, self._options.interval_seconds):
                self._access.log.warning("%s", one)
        self._warned = True

    def first_warnings(self) -> Iterator[str]:
        """Yield what a first run warns of."""
        return retention.bound_by_size(self.server)

    def continued(self, stored: Mapping[str, Any], place: BinlogPlace) -> Beginning | None:
        """Check that the log continues at the place of a watermark; return where, if that is another one's log.

        Args:
            stored: facts of the watermark.
            place: of it.

        Raises:
            WatermarkError: it is another server, or changes behind the place are lost.
        """
        server, end = self.server, find_end(self._session).place
        same, problems = guards.is_same(server, stored), Problems()
        files = find_files(self._session) if same and place.file != end.file else None
        there = guards.There(self._access.conn_id, self._options.stream, server, end, files)
        _collect(problems, (guards.goes_on if same else guards.takes_over)(there, stored, place))
        problems.raise_found()
        if same:
            self._refuse_remade(there, stored, place)
            return None
        known = parsed(str(stored["gtids"]), mariadb=server.mariadb)
        search = Search(self._access.dump, known, pending_in(stored), last_in(stored))
        try:
            found = search.place(end)
        except PurgedError as error:
            raise guards.purged(there, known, *error.args) from None
        _collect(problems, guards.another_history(there, known, same=search.same))
        problems.raise_found()
        self._access.log.info(
            "connection %r leads to another server of the same history, which continues at %s",
            self._access.conn_id,
            text_of(found),
        )
        return Beginning(found, {PASSING: {"gtids": str(known), "until": text_of(end)}, RANGES: {}})

    def _refuse_remade(self, there: guards.There, stored: Mapping[str, Any], place: BinlogPlace) -> None:
        """Check that the file of a watermark is the one that it was, if there is anything to read.

        After a reset names of files and numbers of GTIDs begin again, and may have passed the watermark by now.
        """
        known = stored.get(creation.FILE) or {}
        if place != there.end and known.get("name") == place.file:
            now = creation.created(self._access.dump, place.file)
            if now != known.get("created"):
                raise guards.remade(there, place)


def _collect(problems: Problems, found: Iterator[LegacyEventsError]) -> None:
    for one in found:
        with problems.collect():
            raise one
