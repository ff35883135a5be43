"""First run: the place where a stream begins, once no prepared transaction is left whose rows lie before it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.mysql.changelog.ending import find_end, gtids_at
from airflow_legacy_events.databases.mysql.changelog.locking import lock, unlock
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.server import LogServer
from airflow_legacy_events.databases.mysql.changelog.session import LogSession
from airflow_legacy_events.databases.mysql.changelog.transactions.state import ANY, BEFORE, RANGES
from airflow_legacy_events.databases.mysql.changelog.xa_recover import prepared

_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.25)


class Beginning(NamedTuple):
    """Where a stream begins.

    Attributes:
        place: in the log.
        facts: of it, to be kept with the watermark: `gtids` executed before it, where the server has them, and
            `prepared` transactions that lie before it, which have ended by now: their rows are in every snapshot.
    """

    place: BinlogPlace
    facts: Mapping[str, Any]


def begin(session: LogSession, server: LogServer, tables: Sequence[TableName]) -> Beginning:
    """Return where a stream begins, once all transactions that were prepared before have ended.

    From MySQL 8 on a right of its own is needed to see them. Without it tables are locked for a moment instead, which
    waits for those that wrote to them.

    Raises:
        SourceError: one did not end in time; the error names it.
    """
    end = find_end(session)
    facts: dict[str, Any] = {} if server.gtids is None else {"gtids": gtids_at(session, end)}
    known = prepared(session)
    if known is None:
        lock(session, tables)
        unlock(session)
        return Beginning(end.place, {**facts, RANGES: {ANY: BEFORE}})
    wait_for_prepared(session, known)
    return Beginning(end.place, {**facts, RANGES: dict.fromkeys(sorted(known), BEFORE)})


def join(session: LogSession, facts: Mapping[str, Any], tables: Sequence[TableName]) -> None:
    """Wait for what was prepared with rows of tables that join, where such transactions are not known.

    Raises:
        SourceError: one did not end in time.
    """
    if ANY in (facts.get(RANGES) or {}):
        lock(session, tables)
        unlock(session)


def wait_for_prepared(session: LogSession, known: set[str]) -> None:
    """Wait until prepared transactions have ended: their rows lie before the place where a stream begins.

    Raises:
        SourceError: one did not end within the statement timeout; the error names it.
    """
    until, looks = time.monotonic() + session.timeout_seconds, 0
    left = known
    while left:
        if time.monotonic() > until:
            xid = min(left)
            raise SourceError(
                f"connection {session.conn_id!r}: {len(left)} prepared XA transactions did not end within"
                f" {session.timeout_seconds:g} s, and what they wrote lies before the place where the stream would"
                f" begin; nothing was read. End them, the first one by:\nXA COMMIT {xid}\nXA ROLLBACK {xid}"
            )
        session.wait(_PAUSES[min(looks, len(_PAUSES) - 1)])
        looks, left = looks + 1, known & (prepared(session) or set())
