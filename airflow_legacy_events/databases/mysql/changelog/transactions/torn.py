"""Files of the binlog that end inside of a transaction: the server was killed while it wrote it."""

from __future__ import annotations

import re

from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_lists import gtid_list, previous_gtids
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_sets import GtidSet
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_states import GtidState
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.places import FIRST_EVENT, text_of
from airflow_legacy_events.databases.mysql.changelog.transactions import failures
from airflow_legacy_events.databases.mysql.changelog.transactions.sessions import Sessions
from airflow_legacy_events.databases.mysql.changelog.transactions.state import Gtids

_FILE = re.compile(r"(.+\.)([0-9]+)", re.ASCII)


def behind_torn(
    access: BinlogAccess, sessions: Sessions, place: BinlogPlace, gtid: str | None, known: Gtids | None
) -> BinlogPlace:
    """Return where the log continues behind a file that ends inside of a transaction which never committed.

    The server writes into the next file which transactions the former ones hold: one that is not among them was rolled
    back when it started again.

    Args:
        access: ways into the server.
        sessions: that stream the log.
        place: where that transaction begins.
        gtid: its name; None if the file ends before it.
        known: transactions that were read; None if they are not known.

    Raises:
        SourceError: the transaction may have been committed.
    """
    file = next_file(place.file)
    listed = _listed(sessions, BinlogPlace(file, FIRST_EVENT))
    if listed is None or not _lacks(listed, gtid, known):
        raise failures.torn(access.conn_id, place, file)
    access.log.warning(
        "binlog file %s ends inside of a transaction that was never committed, at %s: the server was ended while it"
        " wrote it; reading continues with %s",
        *(place.file, text_of(place), file),
    )
    return BinlogPlace(file, FIRST_EVENT)


def next_file(file: str) -> str:
    """Return the name of the file that follows; the number grows behind 999999."""
    found = _FILE.fullmatch(file)
    assert found is not None  # noqa: S101  places are checked
    return f"{found[1]}{int(found[2]) + 1:0{len(found[2])}d}"


def _listed(sessions: Sessions, place: BinlogPlace) -> GtidSet | GtidState | None:
    """Return the transactions that the files before one hold, as its list says."""
    with sessions.dump() as dump:
        for event in dump.events(place):
            if event.kind == codes.GTID_LIST:
                return gtid_list(event.body)
            if event.kind == codes.PREVIOUS_GTIDS:
                return previous_gtids(event.body)
            if event.kind in codes.GTIDS | codes.STATEMENTS:
                return None
    return None


def _lacks(listed: GtidSet | GtidState, gtid: str | None, known: Gtids | None) -> bool:
    if gtid is not None:
        return gtid not in listed
    return known is not None and known.hold(listed)
