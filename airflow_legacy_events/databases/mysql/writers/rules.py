"""Rules: which sessions and transactions may still commit a row below a mark.

A session takes an id or a time in a statement, and keeps it in a transaction that has changed something. So it counts
in such a transaction, and in each statement that may be about to begin one. A SELECT may belong to a function or
trigger of a writing statement: its id is taken later, but its row gets the time at which the outer statement began.
"""

from __future__ import annotations

import re

from airflow_legacy_events.databases.locks import MARK
from airflow_legacy_events.databases.mysql.writers.listing import Client, Listing
from airflow_legacy_events.databases.mysql.writers.transactions import Transaction

_RESTS = frozenset({"Sleep", "Binlog Dump", "Binlog Dump GTID"})
_OF_THE_SERVER = frozenset({"Daemon", "Connect"})
"""Requests that are no statement while they have no text; an event runs as `Connect`, with a text."""

_APPLIER = "system user"
_DELAYED, _WAITS = "Delayed", "Waiting for INSERT"
_SELECT = re.compile(r"(?:\s|\(|/\*(?![!M]).*?\*/|(?:#|--\s)[^\n]*\n)*select\b", re.IGNORECASE | re.DOTALL)
_DUMP = "SELECT /*!40001 SQL_NO_CACHE */ "
"""How mysqldump and mariadb-dump begin the statement that reads a table."""

_OURS = (f"SELECT {MARK}", "/* legacy-events */ ")
"""How the statements of a lock and of a stream begin."""


def may_commit(thread: int, listing: Listing, *, of_times: bool) -> bool:
    """Return whether a session may still commit a row below the mark of a listing.

    Args:
        thread: number of the session.
        listing: of the server.
        of_times: whether rows are ordered by a time; else by an id.
    """
    transaction = listing.of(thread)
    if transaction is not None and transaction.changed:
        return True
    clients = listing.before.get(thread), listing.after.get(thread)
    return any(one is not None and is_writing(one, transaction, of_times=of_times) for one in clients)


def is_writing(client: Client, transaction: Transaction | None, *, of_times: bool) -> bool:
    """Return whether a session is in a statement that may write.

    Args:
        client: the session.
        transaction: of it, which has changed nothing; None if there is none.
        of_times: see `may_commit`.
    """
    if _rests(client):
        return False
    if not of_times:
        return _SELECT.match(client.text) is None
    return not ((transaction is not None and transaction.read_only) or client.text.startswith((_DUMP, *_OURS)))


def _rests(client: Client) -> bool:
    """Return whether a session runs no client's statement; what a replica applies counts once it has changed rows."""
    return (
        client.command in _RESTS
        or client.user == _APPLIER
        or (client.command in _OF_THE_SERVER and not client.text)
        or (client.command.startswith(_DELAYED) and client.state == _WAITS)
    )
