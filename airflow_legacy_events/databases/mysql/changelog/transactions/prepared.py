"""Prepared XA transactions of one reading: most are committed soon, and need not be read again then."""

from __future__ import annotations

from airflow_legacy_events.databases.mysql.changelog.transactions.transaction import Transaction


class PreparedTransactions:
    """Keeps prepared transactions whose events are in memory, as long as they have few bytes together.

    Args:
        most_bytes: of all of them; the oldest ones are given up first, and read again from the log.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most, self._bytes = most_bytes, 0
        self._kept: dict[str, Transaction] = {}

    def add(self, xid: str, one: Transaction) -> None:
        """Keep a transaction that was just prepared."""
        self.take(xid)
        if one.events is None:
            return
        self._kept[xid] = one
        self._bytes += one.bytes
        while self._bytes > self._most:
            self.take(next(iter(self._kept)))

    def take(self, xid: str) -> Transaction | None:
        """Return a transaction, and keep it no longer; None if it is not kept."""
        one = self._kept.pop(xid, None)
        if one is not None:
            self._bytes -= one.bytes
        return one
