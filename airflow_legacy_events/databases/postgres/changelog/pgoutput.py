"""Messages of pgoutput, the server's own output plugin, in version 1 of its protocol.

They come within XLogData messages: `w`, three numbers of eight bytes, then the plugin's own message at `PAYLOAD`.
"""

from __future__ import annotations

import datetime as dt
from struct import Struct
from typing import NamedTuple

XLOG_DATA, KEEPALIVE = b"wk"
BEGIN, COMMIT, RELATION, TYPE = b"BCRY"
INSERT, UPDATE, DELETE, TRUNCATE, MESSAGE = b"IUDTM"

PAYLOAD = 25
OID, KIND, TUPLE = PAYLOAD + 1, PAYLOAD + 5, PAYLOAD + 8
"""Of a row change: its relation, the kind of the first tuple, and where that tuple begins, behind its column count."""

OLD_KEY, OLD_ROW, NEW_ROW = b"KON"

_EPOCH = dt.datetime(2000, 1, 1)  # noqa: DTZ001  PostgreSQL counts from it, in UTC
_BEGIN, _COMMIT, _KEEPALIVE = Struct(">QqI"), Struct(">xQQ"), Struct(">Qq?")
_NUMBER, _COUNT, _COLUMN = Struct(">I"), Struct(">H"), Struct(">Ii")
_TRUNCATE = Struct(">IB")
_TRANSACTIONAL = 1


class Begin(NamedTuple):
    """Begin of a transaction.

    Attributes:
        place: of its commit record.
        time: of its commit, as PostgreSQL writes it in UTC.
        xid: its 32-bit number.
    """

    place: int
    time: str
    xid: int


class Keepalive(NamedTuple):
    """How far the server is.

    Attributes:
        end: everything that committed before it was sent.
        asks: whether the server wants an answer.
    """

    end: int
    asks: bool


class RelationColumn(NamedTuple):
    """A column of a relation.

    Attributes:
        name: of it.
        type: oid of its type.
        modifier: of its type.
        identity: whether it is part of the replica identity.
    """

    name: str
    type: int
    modifier: int
    identity: bool


class Relation(NamedTuple):
    """A table as the log describes it from here on.

    Attributes:
        oid: of it.
        schema: of it.
        name: of it.
        identity: `relreplident`: `d` primary key, `i` index, `f` full, `n` nothing.
        columns: in the order of its rows.
    """

    oid: int
    schema: str
    name: str
    identity: str
    columns: tuple[RelationColumn, ...]


class Message(NamedTuple):
    """A logical message.

    Attributes:
        transactional: whether it belongs to the transaction around it.
        prefix: of it.
        content: in the encoding of the database.
    """

    transactional: bool
    prefix: str
    content: bytes


def begin(message: bytes) -> Begin:
    """Decode a Begin message."""
    place, microseconds, xid = _BEGIN.unpack_from(message, PAYLOAD + 1)
    time = (_EPOCH + dt.timedelta(microseconds=microseconds)).isoformat(" ")
    return Begin(place, f"{time.rstrip('0') if '.' in time else time}+00", xid)


def committed(message: bytes) -> int:
    """Return where the transaction of a Commit message ends, behind its commit record."""
    return int(_COMMIT.unpack_from(message, PAYLOAD + 1)[1])


def keepalive(message: bytes) -> Keepalive:
    """Decode a keepalive, which is not within XLogData."""
    end, _, asks = _KEEPALIVE.unpack_from(message, 1)
    return Keepalive(end, asks)


def oid_of(message: bytes) -> int:
    """Return the relation of a row change."""
    return int(_NUMBER.unpack_from(message, OID)[0])


def relation(message: bytes) -> Relation:
    """Decode a Relation message."""
    schema, at = _string(message, OID + 4)
    name, at = _string(message, at)
    identity, (count,), at = chr(message[at]), _COUNT.unpack_from(message, at + 1), at + 3
    columns = []
    for _ in range(count):
        flags = message[at]
        column, at = _string(message, at + 1)
        type_, modifier = _COLUMN.unpack_from(message, at)
        columns.append(RelationColumn(column, type_, modifier, bool(flags & 1)))
        at += _COLUMN.size
    return Relation(oid_of(message), schema or "pg_catalog", name, identity, tuple(columns))


def type_name(message: bytes) -> tuple[int, str]:
    """Decode a Type message: the oid of a type that is not built in, and its name."""
    schema, at = _string(message, OID + 4)
    return oid_of(message), f"{schema}.{_string(message, at)[0]}"


def truncated(message: bytes) -> tuple[int, ...]:
    """Return the relations of a Truncate message."""
    count, _ = _TRUNCATE.unpack_from(message, PAYLOAD + 1)
    return Struct(f">{count}I").unpack_from(message, PAYLOAD + 1 + _TRUNCATE.size)


def logical(message: bytes) -> Message:
    """Decode a logical message."""
    flags, (prefix, at) = message[PAYLOAD + 1], _string(message, PAYLOAD + 10)
    (size,) = _NUMBER.unpack_from(message, at)
    return Message(bool(flags & _TRANSACTIONAL), prefix, message[at + 4 : at + 4 + size])


def _string(message: bytes, at: int) -> tuple[str, int]:
    end = message.index(0, at)
    return message[at:end].decode(errors="replace"), end + 1
