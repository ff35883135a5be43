"""GTIDs of both families under one interface, and where a set of them ends in the log of another server."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeAlias

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid import gtid
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_lists import gtid_list, previous_gtids
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_sets import GtidSet
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_states import GtidState
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace, Dump, Event
from airflow_legacy_events.databases.mysql.changelog.places import FIRST_EVENT, number_of

Gtids: TypeAlias = Any
"""`GtidSet` of MySQL or `GtidState` of MariaDB."""

_DIGITS = 6


class PurgedError(Exception):
    """The log begins behind what a set of GTIDs holds; the argument is what it begins behind."""


def parsed(text: str, *, mariadb: bool) -> Gtids:
    """Return GTIDs as a server writes them."""
    return GtidState.of(text) if mariadb else GtidSet.of(text)


def is_another_family(text: str, *, mariadb: bool) -> bool:
    """Return whether GTIDs are of the other family, or none at all."""
    try:
        parsed(text, mariadb=mariadb)
    except ValueError:
        return True
    return False


def place_behind(open_: Callable[[], Dump], end: BinlogPlace, known: Gtids) -> BinlogPlace:
    """Return the place of the first transaction in a server's log that is not known, or where that log ends.

    The files are looked at from the newest one on: each begins with the GTIDs before it. The one that begins with
    known ones alone is read up to the place.

    Args:
        open_: opens a session that streams the log.
        end: of the log.
        known: GTIDs.

    Raises:
        PurgedError: the server has removed what lies behind the known ones.
        SourceError: the log can't be read.
    """
    file, behind = end.file, None
    while True:
        with contextlib.closing(open_()) as dump:
            try:
                found, behind = _look(dump, file, known, behind)
            except SourceError:
                if behind is None:
                    raise
                raise PurgedError(behind) from None
        if found is not None:
            return found
        if number_of(file) <= 1:
            raise PurgedError(behind)
        file = _before(file)


def _look(dump: Dump, file: str, known: Gtids, behind: Any) -> tuple[BinlogPlace | None, Any]:
    """Return the place, or None and what the file begins behind if that is not known."""
    last = BinlogPlace(file, FIRST_EVENT)
    for event in dump.events(last):
        if (before := _listed(event)) is not None and event.file == file and before.missing(known):
            return None, before
        name = gtid(event.kind, event.body, event.server_id).name if event.kind in codes.GTIDS else None
        if name is not None and name not in known:
            return BinlogPlace(event.file, event.start), behind
        last = BinlogPlace(event.file, event.end)
    return last, behind


def _listed(event: Event) -> Gtids | None:
    if event.kind == codes.PREVIOUS_GTIDS:
        return previous_gtids(event.body)
    return gtid_list(event.body) if event.kind == codes.GTID_LIST else None


def _before(file: str) -> str:
    base, _, _ = file.rpartition(".")
    return f"{base}.{number_of(file) - 1:0{_DIGITS}d}"
