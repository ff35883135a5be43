"""Snapshots that stand at one place of the binlog."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, TypeAlias

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.mysql.changelog.ending import SNAPSHOT_PLACE, find_end, snapshot_place
from airflow_legacy_events.databases.mysql.changelog.locking import PATIENCE_SECONDS, lock, unlock
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.places import order, text_of
from airflow_legacy_events.databases.mysql.changelog.server import LogServer
from airflow_legacy_events.databases.mysql.changelog.session import LogSession

Hold: TypeAlias = Callable[[], AbstractContextManager[None]]
Look: TypeAlias = Callable[[str, str], list[tuple[Any, ...]]]

_DOING = "taking a snapshot at a place of the binlog"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class Taken:
    """See `core.ports.LogSnapshot`; it sees everything that committed before its place.

    Args:
        place: see there.
    """

    def __init__(self, place: BinlogPlace) -> None:
        self.place = text_of(place)

    def unseen(self, transactions: Collection[int]) -> tuple[int, ...]:  # noqa: ARG002
        """See `core.ports.LogSnapshot.unseen`."""
        return ()


@contextmanager
def taken(
    session: LogSession,
    hold: Hold,
    look: Look,
    tables: Sequence[TableName],
    *,
    server: LogServer,
    read: BinlogPlace | None,
) -> Iterator[Taken]:
    """Hold a snapshot, with its place in the log.

    Args:
        session: beside the one that holds it.
        hold: begins a snapshot on the session that reads rows.
        look: runs a statement on that session.
        tables: to read.
        server: whose log is read.
        read: place up to which the log was read; the snapshot does not lie before it.

    Raises:
        SourceError: none could be taken in time, or the session that reads rows is on another server.
    """
    take = _of_mariadb if server.mariadb else _of_mysql
    with take(session, hold, look, tables, read) as place:
        _refuse_elsewhere(session, look, server)
        yield Taken(place)


@contextmanager
def _of_mariadb(
    session: LogSession, hold: Hold, look: Look, tables: Sequence[TableName], read: BinlogPlace | None
) -> Iterator[BinlogPlace]:
    """Hold a snapshot of MariaDB, which says where it stands; that may be before what the log has shown already."""
    del tables
    until, pause = time.monotonic() + PATIENCE_SECONDS, _FIRST_PAUSE
    while True:
        with hold():
            place = snapshot_place(look(_DOING, SNAPSHOT_PLACE))
            if place is None:
                raise SourceError(f"connection {session.conn_id!r} leads to a server without a binlog: log_bin is off")
            if read is None or order(place) >= order(read):
                yield place
                return
        if time.monotonic() > until:
            raise SourceError(
                f"connection {session.conn_id!r}: each snapshot stands at {text_of(place)}, before {text_of(read)}, up"
                f" to which the log was read, for {PATIENCE_SECONDS:g} s: a COMMIT has not returned; a retry continues"
            )
        session.wait(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


@contextmanager
def _of_mysql(
    session: LogSession, hold: Hold, look: Look, tables: Sequence[TableName], read: BinlogPlace | None
) -> Iterator[BinlogPlace]:
    """Hold a snapshot of MySQL: the log is ahead of the tables, so no writer may be between snapshot and place."""
    del look, read
    with ExitStack() as held:
        lock(session, tables)
        try:
            held.enter_context(hold())
            place = find_end(session).place
        finally:
            unlock(session)
        yield place


def _refuse_elsewhere(session: LogSession, look: Look, server: LogServer) -> None:
    names = ", ".join(f"@@{name}" for name in server.identity)
    found = tuple(map(str, look(_DOING, f"SELECT {names}")[0]))
    if found != tuple(server.identity.values()):
        raise SourceError(
            f"connection {session.conn_id!r} leads to more than one server: rows and the change log would be those of"
            " different ones. Give the address of a single server; a retry continues"
        )
