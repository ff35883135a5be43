"""List of the sessions and transactions of a server, none of which is older than the question.

`innodb_trx` is a copy that the server renews only if no session has read it for 0.1 s, so beside a monitor it may stay
old. A copy is new if it holds the statement that reads it, with a number that was never used before.
"""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import MySQLdb

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.process_list import NOT_CONVERTED, listed
from airflow_legacy_events.databases.mysql.session import Session, code_of
from airflow_legacy_events.databases.mysql.writers.status import status_of, transactions_in
from airflow_legacy_events.databases.mysql.writers.transactions import Transaction

DENIED = 1227
"""Error of a statement for which a global right is missing."""

_DOING = "listing open transactions"
_RENEWED_AFTER = 0.11
# The text of a statement may have any encoding.
SESSIONS = """
SELECT UTC_TIMESTAMP(6), id, user, db, command, time, state, CAST(LEFT(info, 1024) AS BINARY)
  FROM information_schema.processlist
"""
"""Sessions; the clock is read before them."""

TRANSACTIONS = """
SELECT trx_mysql_thread_id = CONNECTION_ID() AND INSTR(trx_query, '{number}') > 0, trx_id, trx_mysql_thread_id,
       trx_started, trx_rows_modified + trx_tables_locked + trx_lock_structs, trx_is_read_only
  FROM information_schema.innodb_trx
"""
"""Transactions; of each statement the server shows the first 1024 characters."""

_BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"


class DeniedError(Exception):
    """This user may not see the transactions of others."""


class Client(NamedTuple):
    """Session of the process list.

    Attributes:
        number: the server's ID of the session.
        user: of its login.
        database: that it works in; None if it is in none.
        command: kind of request, `Sleep` between two.
        since: when its statement began, in UTC, in whole seconds; after it, when it ended.
        state: what the statement does.
        text: first characters of the statement; empty between two.
    """

    number: int
    user: str
    database: str | None
    command: str
    since: dt.datetime | None
    state: str
    text: str


class Listing(NamedTuple):
    """Sessions and transactions.

    A session that ends a statement between the two lists of sessions is in one of them, or its transaction is listed.

    Attributes:
        now: the database's clock before anything was listed, in UTC.
        before: sessions by number, listed before the transactions.
        transactions: those that are open.
        after: sessions by number, listed after the transactions.
        is_whole: whether transactions without a number are listed too.
    """

    now: dt.datetime
    before: Mapping[int, Client]
    transactions: Sequence[Transaction]
    after: Mapping[int, Client]
    is_whole: bool = True

    def of(self, thread: int) -> Transaction | None:
        """Return the transaction of a session."""
        return next((one for one in self.transactions if one.thread == thread), None)


class Lister:
    """Lists the sessions and transactions other than its own.

    Args:
        conn_id: Airflow's name of the connection.
        using: yields the session for a purpose that errors name.
        in_snapshot: whether the session is in a transaction already.
        wait: for so many seconds, or until the database is closed.
        seconds: after which a list that stays old is an error.
    """

    def __init__(
        self,
        conn_id: str,
        using: Callable[[str], AbstractContextManager[Session]],
        in_snapshot: Callable[[], bool],
        wait: Callable[[float], object],
        seconds: float,
    ) -> None:
        self._conn_id, self._using, self._in_snapshot = conn_id, using, in_snapshot
        self._wait, self._seconds = wait, seconds
        self._read_at = 0.0

    def take(self) -> Listing:
        """Return what is open now.

        Raises:
            DeniedError: the PROCESS privilege is missing.
            SourceError: the database failed.
        """
        now, before = self._clients()
        transactions, is_whole = self._transactions()
        _, after = self._clients()
        return Listing(now, before, transactions, after, is_whole)

    def _clients(self) -> tuple[dt.datetime, dict[int, Client]]:
        with self._using(_DOING) as session:
            rows = listed(session, SESSIONS)
            now = dt.datetime.fromisoformat(f"{rows[0][0]}+00:00")
            found = (_client(now, row) for _, *row in rows)
            return now, {one.number: one for one in found if one.number != session.number}

    def _transactions(self) -> tuple[list[Transaction], bool]:
        until, is_old = time.monotonic() + self._seconds, False
        while True:
            self._wait(max(0.0, self._read_at + _RENEWED_AFTER - time.monotonic()))
            with self._using(_DOING) as session:
                try:
                    found, is_whole = self._copied(session), True
                    if found is None and is_old:
                        found, is_whole = _reported(session), False
                except MySQLdb.OperationalError as error:
                    if code_of(error) == DENIED:
                        raise DeniedError from None
                    if code_of(error) != NOT_CONVERTED:  # else a statement among them can't be shown
                        raise
                    found, is_whole = _reported(session), False
            if found is not None:
                return found, is_whole
            if time.monotonic() > until:
                raise self._stays_old()
            is_old = True

    def _copied(self, session: Session) -> list[Transaction] | None:
        """Return the server's copy of its transactions; None if it is older than the question."""
        begins = not self._in_snapshot()
        if begins:
            session.rows(_BEGIN)  # only a session in a transaction is listed
        try:
            rows = session.rows(TRANSACTIONS.format(number=secrets.token_hex(8)))
        finally:
            self._read_at = time.monotonic()
            if begins:
                session.connection.rollback()
        if not any(is_new == "1" for is_new, *_ in rows):
            return None
        found = (
            Transaction(str(id_), int(thread), str(started), int(changed) > 0, read_only == "1")
            for _, id_, thread, started, changed, read_only in rows
        )
        return [one for one in found if one.thread != session.number]

    def _stays_old(self) -> SourceError:
        return SourceError(
            f"connection {self._conn_id!r}: let the monitor of this server read innodb_trx less often than every 0.1 s;"
            " beside it the server does not renew that list, and SHOW ENGINE INNODB STATUS has more transactions than"
            " it prints. Nothing was read"
        )


def _client(now: dt.datetime, row: Sequence[Any]) -> Client:
    number, user, database, command, seconds, state, text = row
    since = None if seconds is None else (now - dt.timedelta(seconds=int(seconds))).replace(microsecond=0)
    said = (text or b"").decode(errors="replace")
    return Client(int(number), str(user), database, str(command), since, str(state or ""), said)


def _reported(session: Session) -> list[Transaction] | None:
    found = transactions_in(status_of(session))
    return None if found is None else [one for one in found if one.thread != session.number]
