"""Events that begin a transaction: GTID, ANONYMOUS_GTID and GTID_TAGGED of MySQL, MARIADB_GTID.

MySQL's body: flags (1 byte), UUID (16), number (8); from 5.7 on the type 2 and two logical times (8 each); from 8.0 on
the time of the commit on this server, whose highest bit says that the time on the first server follows (7 each, in
microseconds since 1970), the transaction's length and versions. MySQL 8.3 writes GTID_TAGGED where the GTID has a tag
(`gtid_tagged`). MariaDB's body: number (8), domain (4), flags (1), then what the flags say: number of the group commit
(8), name of an XA transaction (`xa`), and from 10.8 on more flags (1), of which 2, 4 and 8 mark the parts of an ALTER
in two phases (`binlog_alter_two_phase`); 4 and 8 come with the number of the first part (8), and 16 (11.5) with the
number of the session (4). Source: `Gtid_event` of MySQL, `Gtid_log_event` of MariaDB.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes
from airflow_legacy_events.databases.mysql.changelog.binlog.codes import (
    ANONYMOUS_GTID,
    GTID_TAGGED,
    MARIADB_GTID,
)
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_tagged import tagged
from airflow_legacy_events.databases.mysql.changelog.binlog.xa import xa_name

_STANDALONE, _GROUP, _PREPARED, _COMPLETED = 1, 2, 64, 128
_ENGINES, _START_ALTER, _COMMIT_ALTER, _ROLLBACK_ALTER, _THREAD = 1, 2, 4, 8, 16
_ALTER = {_START_ALTER: "start", _COMMIT_ALTER: "commit", _ROLLBACK_ALTER: "rollback"}
_TIMES = 2
_TWO_TIMES = 1 << 55
_MILLION = 1_000_000
_MARIADB = Struct("<QIB")


class Gtid(NamedTuple):
    """Begin of a transaction.

    Attributes:
        name: of the transaction, such as `3e11fa47-71ca-11e1-9e33-c80aa9429562:23`, with a tag
            `3e11fa47-71ca-11e1-9e33-c80aa9429562:tag:23`, of MariaDB `0-1-7`; None if it is anonymous.
        micros: time of its commit on the server that ran it first, in microseconds since 1970; None if not logged.
        standalone: whether it is one statement, which nothing commits (MariaDB; MySQL does not say so).
        prepares: name of the XA transaction that it prepares, as `XA COMMIT` writes it; None if it does not (MariaDB).
        completes: name of the XA transaction that it commits or rolls back; None if it does not (MariaDB).
        alter: `start`, `commit` or `rollback` of an ALTER in two phases (MariaDB); None for others. The statement is in
            the log twice; the table is another one from its commit on.
        thread: number of the session, where the event says it (MariaDB); None where it does not.
    """

    name: str | None
    micros: int | None = None
    standalone: bool = False
    prepares: str | None = None
    completes: str | None = None
    alter: str | None = None
    thread: int | None = None


def gtid(kind: int, body: bytes, server_id: int) -> Gtid:
    """Return what begins.

    Args:
        kind: type code of the event, one of `codes.GTIDS`.
        body: of the event.
        server_id: of its header, which is part of MariaDB's names.

    Raises:
        ValueError: it is damaged.
    """
    if kind == MARIADB_GTID:
        return _plain(body, server_id) or _mariadb(Bytes(body), server_id)
    data = Bytes(body)
    if kind == GTID_TAGGED:
        return Gtid(*tagged(data))
    data.take(1)
    uuid, number = _uuid(data.take(16)), data.number(8)
    name = None if kind == ANONYMOUS_GTID else f"{uuid}:{number}"
    return Gtid(name, _micros(data))


def moment(micros: int | None, seconds: int) -> tuple[int, int]:
    """Return a commit's time as seconds since 1970 and microseconds: the GTID's, or that of an event's header."""
    return (seconds, 0) if micros is None else divmod(micros, _MILLION)


def _micros(data: Bytes) -> int | None:
    """Return the commit time behind the number of a GTID, if there is one."""
    if not data.left or data.number(1) != _TIMES:
        return None
    data.take(16)
    if data.left < 7:  # noqa: PLR2004  bytes of a time
        return None
    here = data.number(7)
    return data.number(7) if here & _TWO_TIMES else here


@lru_cache(maxsize=16)
def _uuid(data: bytes) -> str:
    return str(UUID(bytes=data))


def _plain(body: bytes, server_id: int) -> Gtid | None:
    """Return the GTID of an event with no more than number, domain and flags, as most are; None for others."""
    if len(body) <= _MARIADB.size or body[_MARIADB.size]:
        return None
    number, domain, flags = _MARIADB.unpack_from(body)
    if flags & (_GROUP | _PREPARED | _COMPLETED):
        return None
    return Gtid(f"{domain}-{server_id}-{number}", standalone=bool(flags & _STANDALONE))


def _mariadb(data: Bytes, server_id: int) -> Gtid:
    """Return the GTID of MariaDB's event."""
    number, domain, flags = data.number(8), data.number(4), data.number(1)
    if flags & _GROUP:
        data.take(8)
    xa = xa_name(data, 1) if flags & (_PREPARED | _COMPLETED) else None
    more = data.number(1) if data.left else 0
    data.take((1 if more & _ENGINES else 0) + (8 if more & (_COMMIT_ALTER | _ROLLBACK_ALTER) else 0))
    return Gtid(
        f"{domain}-{server_id}-{number}",
        standalone=bool(flags & _STANDALONE),
        prepares=xa if flags & _PREPARED else None,
        completes=xa if flags & _COMPLETED else None,
        alter=next((word for flag, word in _ALTER.items() if more & flag), None),
        thread=data.number(4) if more & _THREAD else None,
    )
