"""PREVIOUS_GTIDS of MySQL and GTID_LIST of MariaDB: what was executed before a file begins.

MySQL's body: number of sources (8 bytes), and for each its UUID (16), the number of its intervals (8) and for each of
these its first number and the one behind its last (8 each). If the highest byte of the number of sources is 1 (MySQL
8.3 and later, with tags), that number stands in the six bytes below it, and a tag stands behind each UUID, in the
numbers of `gtid_tagged`. MariaDB's body: a count (4; its highest four bits are flags), and for each domain and server
these (4 each) and the last number (8). Source: `Gtid_set::encode`, `Gtid_list_log_event`.
"""

from __future__ import annotations

from uuid import UUID

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_sets import GtidSet
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_states import GtidState
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_tagged import unsigned

_TAGGED = 1
_SMALLEST_SOURCE, _INTERVAL, _LAST = 24, 16, 16
_COUNT_BITS = (1 << 28) - 1


def previous_gtids(body: bytes) -> GtidSet:
    """Return the set of a PREVIOUS_GTIDS.

    Raises:
        ValueError: it is damaged.
    """
    data = Bytes(body)
    count = data.number(8)
    tagged = count >> 56 == _TAGGED
    found = GtidSet()
    for _ in range(_possible(data, count >> 8 & ((1 << 48) - 1) if tagged else count, _SMALLEST_SOURCE)):
        source = str(UUID(bytes=data.take(16)))
        tag = data.take(unsigned(data)).decode("ascii") if tagged else ""
        for _ in range(_possible(data, data.number(8), _INTERVAL)):
            first, behind = data.number(8), data.number(8)
            found.add(source, tag, first, behind - 1)
    return found


def gtid_list(body: bytes) -> GtidState:
    """Return the state of a GTID_LIST.

    Raises:
        ValueError: it is damaged.
    """
    data = Bytes(body)
    found = GtidState()
    for _ in range(_possible(data, data.number(4) & _COUNT_BITS, _LAST)):
        domain, server, number = data.number(4), data.number(4), data.number(8)
        found.add(domain, server, number)
    return found


def _possible(data: Bytes, count: int, size: int) -> int:
    """Return a count if so many things of so many bytes may follow."""
    if count * size > data.left:
        raise ValueError(f"a list of GTIDs is cut off before its {count} entries")
    return count
