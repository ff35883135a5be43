"""Where the binlog ends, and which of its files there are."""

from __future__ import annotations

from typing import NamedTuple

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.places import order
from airflow_legacy_events.databases.mysql.changelog.session import LogSession

SNAPSHOT_PLACE = "SHOW STATUS LIKE 'binlog_snapshot_%'"
"""MariaDB: the place of the session's snapshot; without one, the end of the log. It needs no right."""

_STATUS_SINCE = (8, 2)
_DOING = "looking where the binlog ends"
_FILES = "looking at the files of the binlog"
_NAME, _SIZE = 0, 1


class LogEnd(NamedTuple):
    """End of the log.

    Attributes:
        place: of it.
        gtids: executed up to it, as the server writes them; empty where it has none, None where it was not looked up.
        do: databases that alone are logged, as `binlog_do_db` has them; None if that can't be known.
        ignore: databases that are not logged.
    """

    place: BinlogPlace
    gtids: str | None = None
    do: str | None = None
    ignore: str | None = None


def status_statement(session: LogSession) -> str:
    """Return the statement that shows the end of the log."""
    renamed = not session.mariadb and session.version >= _STATUS_SINCE
    return "SHOW BINARY LOG STATUS" if renamed else "SHOW MASTER STATUS"


def find_end(session: LogSession) -> LogEnd:
    """Return where the log ends now, in one round trip.

    Raises:
        SourceError: the server has no log, or the user may not see it.
    """
    if session.mariadb:
        if (place := snapshot_place(session.ask(_DOING, SNAPSHOT_PLACE))) is not None:
            return LogEnd(place)
        raise _without_log(session)
    rows = session.ask(_DOING, status_statement(session))
    if not rows:
        raise _without_log(session)
    file, position, do, ignore, *gtids = rows[0]
    executed = "".join(str(gtids[0]).split()) if gtids else ""
    return LogEnd(BinlogPlace(str(file), int(position)), executed, str(do), str(ignore))


def snapshot_place(rows: list[tuple[str, str]]) -> BinlogPlace | None:
    """Return the place in an answer to `SNAPSHOT_PLACE`; None if it has none."""
    found = {str(name).lower(): str(value) for name, value in rows}
    file, position = found.get("binlog_snapshot_file"), found.get("binlog_snapshot_position")
    return BinlogPlace(file, int(position)) if file and position else None


def gtids_at(session: LogSession, end: LogEnd) -> str:
    """Return the GTIDs executed up to the end of the log; empty where it has none."""
    if end.gtids is not None:
        return end.gtids
    [(found,)] = session.ask(_DOING, "SELECT BINLOG_GTID_POS(%s, %s)", end.place.file, end.place.position)
    return str(found or "")


def find_files(session: LogSession) -> dict[str, int] | None:
    """Return the files of the log with their sizes, in their order; None if the user may not see them."""
    rows = session.try_to(_FILES, "SHOW BINARY LOGS")
    if rows is None:
        return None
    found = {str(row[_NAME]): int(row[_SIZE]) for row in rows}
    return dict(sorted(found.items(), key=lambda one: order(BinlogPlace(one[0], 0))))


def distance(session: LogSession, one: BinlogPlace, other: BinlogPlace) -> int | None:
    """Return the bytes between two places; None if they are in different files, and the user may not see those."""
    if order(other) <= order(one):
        return 0
    if one.file == other.file:
        return other.position - one.position
    files = find_files(session)
    if files is None or one.file not in files:
        return None
    between = [size for name, size in files.items() if order(one) < order(BinlogPlace(name, 0)) < order(other)]
    between = between[:-1] if other.file in files else between
    return max(0, files[one.file] - one.position) + sum(between) + other.position


def _without_log(session: LogSession) -> SourceError:
    return SourceError(f"connection {session.conn_id!r} leads to a server without a binlog: log_bin is off")
