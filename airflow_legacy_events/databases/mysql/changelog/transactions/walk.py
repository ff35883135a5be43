"""Walks over the transactions of the binlog up to a target, through the sessions that this takes."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, BinlogPlace, Event
from airflow_legacy_events.databases.mysql.changelog.places import number_of, order, place_in
from airflow_legacy_events.databases.mysql.changelog.torn_file import TornFileError
from airflow_legacy_events.databases.mysql.changelog.transactions import failures
from airflow_legacy_events.databases.mysql.changelog.transactions.grouping import Grouping
from airflow_legacy_events.databases.mysql.changelog.transactions.sessions import Sessions
from airflow_legacy_events.databases.mysql.changelog.transactions.state import State
from airflow_legacy_events.databases.mysql.changelog.transactions.torn import behind_torn
from airflow_legacy_events.databases.mysql.changelog.transactions.transaction import Transaction

_PAUSES = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Between two looks for the rest of a log; the server may still be writing it."""


class Walk:
    """Finds the transactions that begin before a target.

    Args:
        access: ways into the server.
        sessions: that stream the log.
        grouping: of the events.
        state: of the log; kept up to date by the caller behind each transaction.

    Attributes:
        place: behind the last transaction or event between two; nothing before it is read again.
        bytes: of the log that were read, each once.
    """

    def __init__(self, access: BinlogAccess, sessions: Sessions, grouping: Grouping, state: State) -> None:
        self._access, self._sessions, self._grouping, self._state = access, sessions, grouping, state
        self.place = BinlogPlace("", 0)
        self.bytes = 0
        self._read = (0, 0)
        self._file, self._number = "", 0

    def transactions(self, start: BinlogPlace, until: str) -> Iterator[Transaction]:
        """Yield the transactions from a place on that begin before another one.

        Raises:
            SourceError: the log can't be read on, or does not reach the target.
        """
        self.place, self._read = start, order(start)
        target, waited, looks = order(place_in(until)), 0.0, 0
        while order(self.place) < target:
            before = self.place
            try:
                yield from self._session(target)
            except TornFileError as error:
                self._leave(error.place.file)
            if self.place != before:
                waited, looks = 0.0, 0
                continue
            if waited >= self._access.timeout_seconds:
                raise failures.short(self._access.conn_id, self.place, until, waited)
            pause = _PAUSES[min(looks, len(_PAUSES) - 1)]
            waited, looks = waited + pause, looks + 1
            self._sessions.wait(pause)

    def _session(self, target: tuple[int, int]) -> Iterator[Transaction]:
        """Yield transactions as long as one session streams, or the target is not reached."""
        grouping = self._grouping
        grouping.restart()
        with self._sessions.dump() as dump:
            for event in dump.events(self.place):
                if event.file != self._file:
                    self._file, self._number = event.file, number_of(event.file)
                    if grouping.open is not None:
                        self._leave(grouping.open.place.file)
                        return
                if grouping.open is None and (self._number, event.start) >= target:
                    self.place = BinlogPlace(event.file, event.start)
                    return
                one = self._taken(event)
                if grouping.open is None:
                    self._pass(event)
                    if one is not None:
                        yield one
                    if (self._number, event.end) >= target:
                        return

    def _taken(self, event: Event) -> Transaction | None:
        try:
            return self._grouping.take(event)
        except ValueError as error:
            place = BinlogPlace(event.file, event.start)
            raise failures.damaged(self._access.conn_id, place, str(error)) from None

    def _pass(self, event: Event) -> None:
        """Move behind an event between two transactions, or the last one of a transaction."""
        self.place = BinlogPlace(event.file, event.end)
        number, position = self._read
        same = number == self._number
        self.bytes += max(0, event.end - (position if same else 0))
        self._read = (self._number, event.end)

    def _leave(self, file: str) -> None:
        """Continue with the file behind one that ends inside of a transaction.

        Raises:
            SourceError: that transaction may have been committed.
        """
        one, self._grouping.open = self._grouping.open, None
        place, gtid = (self.place, None) if one is None else (one.place, one.gtid)
        if place.file != file:
            place = BinlogPlace(file, self.place.position)
        self.place = behind_torn(self._access, self._sessions, place, gtid, self._state.gtids)
        self._read = order(self.place)
