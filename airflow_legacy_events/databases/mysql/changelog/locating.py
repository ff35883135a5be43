"""Where a stream continues in the log of another server of the same history, by the GTIDs that it has read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import LogChunk
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid import gtid
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_lists import gtid_list, previous_gtids
from airflow_legacy_events.databases.mysql.changelog.binlog.xa import xa_prepare
from airflow_legacy_events.databases.mysql.changelog.gtids import Gtids
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace, Dump, Event
from airflow_legacy_events.databases.mysql.changelog.places import FIRST_EVENT, number_of

_DIGITS = 6
_TIMED = frozenset({codes.TABLE_MAP, codes.QUERY, codes.XA_PREPARE})
"""Events whose time a replica logs as its source did."""


class PurgedError(Exception):
    """The log begins behind what was read; the argument is what it begins behind."""


LAST = "last"
"""Fact of a watermark: `gtid` of a transaction that was read, and when it `changed` the last row."""


class LastRead(NamedTuple):
    """A transaction that was read.

    Attributes:
        gtid: of it.
        changed: time of its last change, in seconds since 1970; every server of a history has the same.
    """

    gtid: str
    changed: int


@dataclass
class Search:
    """Looks through the files of a log, from the newest one on; each begins with the GTIDs before it.

    Args:
        open_: opens a session that streams the log.
        known: GTIDs of the transactions that were read.
        pending: names of XA transactions that are known to be prepared.
        last: a transaction that was read; None if its time need not be compared.

    Attributes:
        same: whether the log has the same transaction under the GTID of `last`; None if it was not found.
    """

    open_: Callable[[], Dump]
    known: Gtids
    pending: Iterable[str] = ()
    last: LastRead | None = None
    same: bool | None = field(default=None, init=False)
    _left: set[str] = field(default_factory=set, init=False)
    _behind: Any = field(default=None, init=False)

    def place(self, end: BinlogPlace) -> BinlogPlace:
        """Return the place of the first transaction that was not read, or where the log ends.

        Where XA transactions are pending, it is the beginning of the file that prepares the first of them, as far as
        the server has it.

        Args:
            end: of the log.

        Raises:
            PurgedError: the server has removed what lies behind the known ones.
            SourceError: the log can't be read.
        """
        self._left, file = set(self.pending), end.file
        pends = bool(self._left)
        while (found := self._tried(file)) is None:
            if number_of(file) <= 1:
                raise PurgedError(self._behind)
            file = _before(file)
        first = self._further(file)
        return BinlogPlace(first, FIRST_EVENT) if pends else found

    def _tried(self, file: str) -> BinlogPlace | None:
        try:
            return self._look(file)
        except SourceError:
            if self._behind is None:
                raise
            raise PurgedError(self._behind) from None

    def _further(self, file: str) -> str:
        """Look through earlier files for what is still to be found; return the last one that prepares something."""
        first = file
        while (self._left or (self.last is not None and self.same is None)) and number_of(file) > 1:
            left, file = set(self._left), _before(file)
            try:
                self._look(file, alone=True)
            except SourceError:  # it was removed
                break
            first = file if self._left != left else first
        return first

    def _look(self, file: str, *, alone: bool = False) -> BinlogPlace | None:
        """Return the place of the first unknown transaction from a file on; None if others lie before that file.

        Args:
            file: where to begin.
            alone: look no further than that file.
        """
        place, now = BinlogPlace(file, FIRST_EVENT), ""
        with contextlib.closing(self.open_()) as dump:
            for event in dump.events(place):
                if alone and event.file != file:
                    break
                before = _listed(event) if event.file == file and not alone else None
                if before is not None and before.missing(self.known):
                    self._behind = before
                    return None
                now = self._named(event, now)
                if event.kind in codes.GTIDS and now and now not in self.known:
                    return BinlogPlace(event.file, event.start)
                place = BinlogPlace(event.file, event.end)
        return place

    def _named(self, event: Event, now: str) -> str:
        """Return the GTID of the transaction that an event is of; take note of what is to be found."""
        if event.kind in codes.GTIDS:
            found = gtid(event.kind, event.body, event.server_id)
            self._left.discard(found.prepares or "")
            return found.name or ""
        if event.kind == codes.XA_PREPARE:
            self._left.discard(xa_prepare(event.body).xid)
        if self.last is not None and now == self.last.gtid and event.kind in _TIMED:
            self.same = self.same or event.time == self.last.changed
        return now


def last_of(chunk: LogChunk) -> Mapping[str, Any]:
    """Return the fact for the last transaction that ends in a chunk of MariaDB's log; nothing if there is none."""
    ended = [one for one in chunk.notes.transactions.values() if one.place != chunk.end.place]
    if not ended or ended[-1].gtid is None or ended[-1].changed is None:
        return {}
    return {LAST: {"gtid": ended[-1].gtid, "changed": ended[-1].changed}}


def last_in(stored: Mapping[str, Any]) -> LastRead | None:
    """Return the transaction that the facts of a watermark hold; None if they hold none."""
    found = stored.get(LAST) or {}
    return LastRead(str(found["gtid"]), int(found["changed"])) if "changed" in found else None


def _listed(event: Event) -> Gtids | None:
    if event.kind == codes.PREVIOUS_GTIDS:
        return previous_gtids(event.body)
    return gtid_list(event.body) if event.kind == codes.GTID_LIST else None


def _before(file: str) -> str:
    base, _, _ = file.rpartition(".")
    return f"{base}.{number_of(file) - 1:0{_DIGITS}d}"
