"""Streams the binlog from the server: `BinlogDump` is the `Dump` of the other parts."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

import pymysql

from airflow_legacy_events.databases.mysql.changelog import refusals
from airflow_legacy_events.databases.mysql.changelog.binlog.decoder import Decoder, Packet
from airflow_legacy_events.databases.mysql.changelog.dump_session import END, DumpSession
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace, Event
from airflow_legacy_events.databases.mysql.changelog.refusals import translated

_ATTEMPTS = 8
_OK_BYTES = 1
"""A byte before each event says that the packet is one."""

_SHORTEST_EVENT = 20


class BinlogDump:
    """Streams the binlog; each call of `events` opens a session, since a server ends it with its stream.

    Args:
        conn_id: Airflow's name of the connection.
        options: of mysqlclient, from the connection; see `connecting.options_of`.
        timeout_seconds: of silence, behind which the server counts as lost.
        server: variables that tell the server from others, such as `server_uuid` and `server_id`, as the session has
            them that runs statements; both must land on one server. None: any server will do.
    """

    def __init__(
        self,
        conn_id: str,
        options: Mapping[str, Any],
        timeout_seconds: float,
        server: Mapping[str, str] | None = None,
    ) -> None:
        self._conn_id, self._options, self._seconds = conn_id, options, timeout_seconds
        self._server = dict(server or {})
        self._turn, self._closed = threading.Lock(), threading.Event()
        self._session: DumpSession | None = None

    def events(self, place: BinlogPlace) -> Iterator[Event]:
        """See `model.Dump.events`; leaving it ends its session."""
        for retried in (False, True):
            rest = yield from self._stream(place, retried=retried)
            if rest is None:
                return
            place = rest

    def _stream(self, place: BinlogPlace, *, retried: bool) -> Generator[Event, None, BinlogPlace | None]:
        """Yield events; return where the stream was ended because another one has its server ID, None at the end."""
        decoder, broken_off = Decoder(holes=True, skipped=_OK_BYTES), list[BinlogPlace]()
        session = self._started(place)
        try:
            found = decoder.events(_packets(session, decoder, broken_off))
            yield from found if session.starts_at(place) else _behind(found, place)
        except pymysql.Error as error:
            reached = broken_off[0] if broken_off else decoder.place
            if not reached.file or (reached.file == place.file and reached.position < place.position):
                reached = place
            if self._closed.is_set():
                raise refusals.closed_by_run(self._conn_id) from None
            if retried or not refusals.is_twice(error):
                raise refusals.refused(self._conn_id, error, reached) from None
            return reached
        finally:
            session.close()
        return None

    def _started(self, place: BinlogPlace) -> DumpSession:
        with translated(self._conn_id, self._closed):
            session = self._opened()
            try:
                session.start(place, self._registered(session))
            except BaseException:
                session.close()
                raise
        return session

    def _opened(self) -> DumpSession:
        """Return a session on the server that statements run on; a balancer may take some connections to reach it."""
        found: dict[str, str] = {}
        for _ in range(_ATTEMPTS):
            if self._closed.is_set():
                raise refusals.closed_by_run(self._conn_id)
            session = DumpSession(self._conn_id, self._options, self._seconds)
            with self._turn:
                before, self._session = self._session, session
            if before is not None:
                before.close()
            found = {name: session.variables.get(name, "") for name in self._server}
            if found == self._server and not self._closed.is_set():
                return session
            session.close()
        raise refusals.elsewhere(self._conn_id, self._server, found)

    def _registered(self, session: DumpSession) -> int:
        number = session.server_id()
        try:
            session.register(number)
        except pymysql.Error as error:
            if (refused := refusals.denied(self._conn_id, error, session.user)) is None:
                raise
            raise refused from None
        return number

    def close(self) -> None:
        """End the stream, from any thread, and again; a waiting reader fails."""
        self._closed.set()
        with self._turn:
            if self._session is not None:
                self._session.close()


def _packets(session: DumpSession, decoder: Decoder, broken_off: list[BinlogPlace]) -> Iterator[Packet]:
    """Yield the events of a stream as they come, up to its end.

    Args:
        session: that streams.
        decoder: of the events.
        broken_off: gets the place of an event of which only a part has come so far.
    """
    while True:
        first, whole = session.answer()
        if whole:
            if first[0] == END and len(first) < _SHORTEST_EVENT:
                return
            yield first, ()
        else:
            broken_off.append(decoder.place)
            yield first, session.packets.rest()
            broken_off.clear()


def _behind(events: Iterable[Event], place: BinlogPlace) -> Iterator[Event]:
    """Yield the events of a stream from a place on, which began before it."""
    for event in events:
        if event.file != place.file or event.start >= place.position:
            yield event
