"""XID and XA_PREPARE: how transactions end, but those that a QUERY ends.

XID holds the number that the server gave the transaction (8 bytes). XA_PREPARE (MySQL 5.7, MariaDB 10.5 and later)
holds whether the transaction commits at once (1 byte; `XA COMMIT … ONE PHASE`), the number of its format (4), the
lengths of both parts of its name (4 each), and these. MariaDB's GTID event holds the same name with lengths of a byte.
"""

from __future__ import annotations

from typing import NamedTuple

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes


class Prepared(NamedTuple):
    """End of the first phase of an XA transaction.

    Attributes:
        xid: its name as `XA COMMIT` and `XA ROLLBACK` in the log write it.
        one_phase: whether it committed with it.
    """

    xid: str
    one_phase: bool


def xid(body: bytes) -> int:
    """Return the number of a transaction that an XID event commits."""
    return Bytes(body).number(8)


def xa_prepare(body: bytes) -> Prepared:
    """Return what an XA_PREPARE says.

    Raises:
        ValueError: it is damaged.
    """
    data = Bytes(body)
    one_phase = data.number(1) != 0
    return Prepared(xa_name(data, 4), one_phase)


def xa_name(data: Bytes, length_bytes: int) -> str:
    """Return the name of an XA transaction, such as `X'6162',X'',1`: both parts in hex, and the number of its format.

    Args:
        data: at the number of the format.
        length_bytes: of the length of each part.
    """
    number = int.from_bytes(data.take(4), "little", signed=True)
    first, second = data.number(length_bytes), data.number(length_bytes)
    return f"X'{data.take(first).hex()}',X'{data.take(second).hex()}',{number}"
