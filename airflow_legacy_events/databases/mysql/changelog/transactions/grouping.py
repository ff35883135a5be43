"""Groups the events of the binlog by transaction."""

from __future__ import annotations

from collections.abc import Callable

from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid import gtid
from airflow_legacy_events.databases.mysql.changelog.binlog.query import query
from airflow_legacy_events.databases.mysql.changelog.binlog.table_map import NO_TABLE, table_name
from airflow_legacy_events.databases.mysql.changelog.binlog.xa import xa_prepare, xid
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace, Event
from airflow_legacy_events.databases.mysql.changelog.transactions import controls
from airflow_legacy_events.databases.mysql.changelog.transactions.transaction import (
    COMMITTED,
    MOST_BYTES,
    PREPARED,
    ROLLED_BACK,
    XA_COMMITTED,
    XA_ROLLED_BACK,
    Transaction,
)

ID = slice(0, 6)
"""Where the body of a TABLE_MAP or rows event has the ID of its table."""

_BEHIND_ID = slice(6, None)
_FLAGS, _ENDS = 6, 1
_NO_TABLE = NO_TABLE.to_bytes(6, "little")
_COMMITS = "commit"
_MOST_NAMES = 10_000


class Grouping:
    """Finds where transactions begin and end, and keeps their events that matter.

    Args:
        takes: whether a table, by database and name as the log has them, takes part.
        most_bytes: of the events of a transaction that are kept.

    Attributes:
        open: the transaction whose end was not seen yet; None between two.
    """

    def __init__(self, takes: Callable[[str, str], bool], most_bytes: int = MOST_BYTES) -> None:
        self._takes, self._most = takes, most_bytes
        self.open: Transaction | None = None
        self._bare = True
        self._tables: dict[bytes, bool] = {}
        self._known: dict[bytes, bool] = {}
        self._handlers: dict[int, Callable[[Event], Transaction | None]] = {
            **dict.fromkeys(codes.GTIDS, self._gtid),
            **dict.fromkeys(codes.STATEMENTS, self._query),
            **dict.fromkeys(codes.ROWS, self._rows),
            codes.TABLE_MAP: self._map,
            codes.XID: self._xid,
            codes.XA_PREPARE: self._prepare,
            codes.INCIDENT: self._incident,
        }

    def take(self, event: Event) -> Transaction | None:
        """Take the next event; return the transaction that it ends.

        Raises:
            ValueError: the event is damaged, or can't stand there.
        """
        if self.open is not None:
            self.open.count += 1
        handler = self._handlers.get(event.kind)
        return None if handler is None else handler(event)

    def restart(self) -> None:
        """Begin between two transactions."""
        self.open, self._bare = None, True

    def forget(self) -> None:
        """Forget which tables take part."""
        self._known.clear()

    def _begin(self, event: Event) -> Transaction:
        place = BinlogPlace(event.file, event.start)
        one = self.open = Transaction(place, place, server_id=event.server_id)
        self._tables.clear()
        return one

    def _end(self, event: Event, outcome: str) -> Transaction:
        one, self.open = self._opened(), None
        self._bare = event.kind in codes.STATEMENTS and not one.begun
        one.end, one.seconds, one.outcome = BinlogPlace(event.file, event.end), event.time, outcome
        if event.kind != codes.XID:
            one.changed = event.time
        return one

    def _opened(self) -> Transaction:
        if self.open is None:
            raise ValueError("an event of a transaction stands where none has begun")
        return self.open

    def _gtid(self, event: Event) -> None:
        if self.open is not None and self.open.matters:
            raise ValueError("a transaction begins where the one before it has not ended")
        found = gtid(event.kind, event.body, event.server_id)
        one = self._begin(event)
        one.gtid, one.micros, one.standalone = found.name, found.micros, found.standalone
        one.mariadb = event.kind == codes.MARIADB_GTID
        one.begun = one.mariadb and not found.standalone
        one.xid = found.prepares or found.completes
        one.thread = found.thread
        one.alters = None if found.alter == _COMMITS else found.alter

    def _query(self, event: Event) -> Transaction | None:
        found = query(event.kind, event.body)
        asked = controls.control(found.text) if event.kind == codes.QUERY else None
        one = self.open or self._begin(event)
        one.thread = found.thread
        if asked is None:
            return self._statement(one, event)
        return self._control(one, asked, event)

    def _statement(self, one: Transaction, event: Event) -> Transaction | None:
        one.matters = True
        one.keep(event, self._most)
        return None if one.begun else self._end(event, COMMITTED)

    def _control(self, one: Transaction, asked: controls.Control, event: Event) -> Transaction | None:
        kind = asked.kind
        if kind in _ENDS_BY:
            if kind in (controls.XA_COMMIT, controls.XA_ROLLBACK):
                one.xid = asked.name
            return self._end(event, _ENDS_BY[kind])
        if kind in (controls.BEGIN, controls.XA_BEGIN):
            one.begun = True
        elif kind == controls.SAVEPOINT:
            one.save_point(asked.name)
        elif kind == controls.ROLLBACK_TO:
            one.undo(asked.name)
        elif kind == controls.RELEASE:
            one.release(asked.name)
        return None

    def _map(self, event: Event) -> None:
        """Take a table map; behind a statement it may begin a transaction, which ends with the rows of its statement.

        MySQL 5.6 writes the first rows of a MEMORY table so, behind the DELETE for those that a restart took away.
        """
        one = self._begin(event) if self.open is None and self._bare else self._opened()
        body = event.body
        one.changed = event.time
        name = body[_BEHIND_ID]
        takes = self._known.get(name)
        if takes is None:
            if len(self._known) >= _MOST_NAMES:
                self._known.clear()
            takes = self._known[name] = self._takes(*table_name(body))
        self._tables[body[ID]] = takes
        if takes:
            one.keep(event, self._most)

    def _rows(self, event: Event) -> Transaction | None:
        one, body = self._opened(), event.body
        takes = self._tables.get(body[ID])
        if takes:
            one.matters = True
            one.keep(event, self._most)
        elif takes is None and body[ID] != _NO_TABLE:
            raise ValueError("rows stand where no table map says whose they are")
        return None if one.begun or not body[_FLAGS] & _ENDS else self._end(event, COMMITTED)

    def _xid(self, event: Event) -> Transaction:
        self._opened().number = xid(event.body)
        return self._end(event, COMMITTED)

    def _prepare(self, event: Event) -> Transaction:
        found = xa_prepare(event.body)
        self._opened().xid = found.xid
        return self._end(event, COMMITTED if found.one_phase else PREPARED)

    def _incident(self, event: Event) -> Transaction:
        one = self.open or self._begin(event)
        return self._statement(one, event) or self._end(event, COMMITTED)


_ENDS_BY = {
    controls.COMMIT: COMMITTED,
    controls.ROLLBACK: ROLLED_BACK,
    controls.XA_COMMIT: XA_COMMITTED,
    controls.XA_ROLLBACK: XA_ROLLED_BACK,
}
