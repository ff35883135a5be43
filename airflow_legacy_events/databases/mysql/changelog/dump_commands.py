"""Commands of the client-server protocol that a replica sends: COM_REGISTER_SLAVE, COM_BINLOG_DUMP and …_GTID."""

from __future__ import annotations

from struct import pack

from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace

REGISTER, DUMP, DUMP_BY_GTID = 0x15, 0x12, 0x1E
FARTHEST = 2**32 - 1
"""Last position that COM_BINLOG_DUMP can name."""

_NON_BLOCKING = 1  # the stream ends at the end of the log
_WITH_STATEMENTS = 2  # MariaDB: ANNOTATE_ROWS events are sent too, so that no position is left out
_NO_GTIDS = bytes(8)
_MOST_HOST_BYTES = 60


def register(server_id: int, host: str) -> bytes:
    """Return the body that makes this session visible as a replica.

    Args:
        server_id: of the replica.
        host: as the server shows it.
    """
    name = host.encode("ascii", "replace")[:_MOST_HOST_BYTES]
    return pack("<IB", server_id, len(name)) + name + pack("<BBHII", 0, 0, 0, 0, 0)


def dump(place: BinlogPlace, server_id: int) -> bytes:
    """Return the body that asks for the log from a place; its position is at most `FARTHEST`."""
    return pack("<IHI", place.position, _NON_BLOCKING | _WITH_STATEMENTS, server_id) + place.file.encode()


def dump_by_gtid(place: BinlogPlace, server_id: int) -> bytes:
    """Return the body of MySQL's other command, whose position has 64 bits; no transaction is left out by its GTID."""
    name = place.file.encode()
    head = pack("<HII", _NON_BLOCKING, server_id, len(name))
    return head + name + pack("<QI", place.position, len(_NO_GTIDS)) + _NO_GTIDS
