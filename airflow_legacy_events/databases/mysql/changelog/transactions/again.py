"""Reads transactions again: those that are too large to be kept, and XA transactions once they are committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, BinlogPlace, Event
from airflow_legacy_events.databases.mysql.changelog.places import place_in
from airflow_legacy_events.databases.mysql.changelog.transactions import failures
from airflow_legacy_events.databases.mysql.changelog.transactions.grouping import Grouping
from airflow_legacy_events.databases.mysql.changelog.transactions.reading import Numbered
from airflow_legacy_events.databases.mysql.changelog.transactions.sessions import Sessions
from airflow_legacy_events.databases.mysql.changelog.transactions.transaction import PREPARED, Transaction


class LostRowsError(Exception):
    """The rows of an XA transaction can't be read any more."""


class Again:
    """Reads transactions again through sessions of their own.

    Args:
        access: ways into the server.
        sessions: that stream the log.
        grouping: makes one for the tables that take part.
    """

    def __init__(self, access: BinlogAccess, sessions: Sessions, grouping: Callable[[], Grouping]) -> None:
        self._access, self._sessions, self._grouping = access, sessions, grouping

    def events(self, one: Transaction) -> Numbered:
        """Return the events of a transaction, from memory if they were kept there.

        Raises:
            SourceError: the log has no longer what it had.
        """
        return self._streamed(one) if one.events is None else one.events

    def prepared(self, text: str, xid: str) -> Transaction:
        """Return an XA transaction that was prepared.

        Args:
            text: the range `file:start-end` where it was.
            xid: its name.

        Raises:
            LostRowsError: the server no longer has that part of its log.
            SourceError: it is not there, or the log can't be read now.
        """
        place, end = _range_of(text)
        try:
            one = self._first(place)
        except SourceError as error:
            if error.retry_helps:
                raise
            raise LostRowsError from None
        if one is None or (one.outcome, one.xid, one.end.position) != (PREPARED, xid, end):
            raise failures.changed(self._access.conn_id, place)
        return one

    def _first(self, place: BinlogPlace) -> Transaction | None:
        grouping = self._grouping()
        with self._sessions.dump() as dump:
            for event in dump.events(place):
                if event.file != place.file:
                    return None
                try:
                    one = grouping.take(event)
                except ValueError as error:
                    raise failures.damaged(self._access.conn_id, place, str(error)) from None
                if one is not None:
                    return one
        return None

    def _streamed(self, one: Transaction) -> Iterator[tuple[int, Event]]:
        count = 0
        with self._sessions.dump() as dump:
            for event in dump.events(one.place):
                if event.file != one.place.file:
                    break
                yield count, event
                count += 1
                if count == one.count:
                    return
        raise failures.changed(self._access.conn_id, one.place)


def _range_of(text: str) -> tuple[BinlogPlace, int]:
    place, _, end = text.rpartition("-")
    return place_in(place), int(end)
