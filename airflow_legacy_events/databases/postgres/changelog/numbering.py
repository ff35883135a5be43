"""Numbers of the log: ends of records, and transactions with 64 bits."""

from __future__ import annotations

_PAGE_BYTES = 8192
_PAGE_HEADER_BYTES = 40
_XIDS = 1 << 32


def record_end(lsn: int) -> int:
    """Return the end of the last record before an LSN, which may lie behind the header of a page.

    `pg_current_wal_insert_lsn` says where the next record begins. At the top of a page that is behind the page's
    header, and the last record ended before it: on a server without writers a reader would never get there. No record
    begins within the header, so both are the same place.
    """
    within = lsn % _PAGE_BYTES
    return lsn - within if within <= _PAGE_HEADER_BYTES else lsn


def widened(xid: int, near: int) -> int:
    """Return the 64-bit number of a transaction.

    Args:
        xid: its 32-bit number, as the log has it.
        near: a 64-bit number at most 2^31 transactions away from it.
    """
    found = near - near % _XIDS + xid
    return min((found, found - _XIDS, found + _XIDS), key=lambda one: abs(one - near))
