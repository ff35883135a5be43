"""TABLE_MAP: the table that the rows events behind it belong to.

Body: ID (6 bytes), flags (2), database and table (a length byte, the name, a zero), number of columns
(length-encoded), a type code for each, the size of the metadata and the metadata themselves, a bit for each column
that may be NULL, and the optional metadata, see `optional_metadata`. Names are UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterator

from airflow_legacy_events.databases.mysql.changelog.binlog import column_types as types
from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes
from airflow_legacy_events.databases.mysql.changelog.binlog.optional_metadata import optional
from airflow_legacy_events.databases.mysql.changelog.model import TableMap

ID_BYTES = 6
NO_TABLE = 0xFFFFFF
"""ID of rows events that belong to no table: the server writes an empty one to end a statement (`Rows_log_event`)."""


def table_id(body: bytes) -> int:
    """Return the table's ID that a TABLE_MAP or rows event begins with."""
    return Bytes(body).number(ID_BYTES)


def table_name(body: bytes) -> tuple[str, str]:
    """Return the database and the name of a TABLE_MAP's table, without reading its columns.

    Raises:
        ValueError: the event is damaged.
    """
    return _names(Bytes(body, ID_BYTES + 2))


def table_map(body: bytes, *, mariadb: bool) -> TableMap:
    """Return what a TABLE_MAP says.

    A column's metadata are one number: of CHAR and BINARY the length in bytes, of VARCHAR likewise, of ENUM and SET the
    bytes of a value, of a decimal 256 times its precision plus its scale, of BIT the bits above whole bytes plus 256
    times the whole bytes, of BLOB, JSON and GEOMETRY the bytes of a length, of times the digits of their fraction.

    Args:
        body: of the event.
        mariadb: whether MariaDB wrote it, which counts columns of the optional metadata in its own way; it did if the
            transaction began with MARIADB_GTID.

    Raises:
        ValueError: the event is damaged, or holds a type code that no supported server writes.
    """
    data = Bytes(body)
    number = data.number(ID_BYTES)
    data.take(2)
    database, table = _names(data)
    codes = data.take(data.packed())
    described = Bytes(data.take(data.packed()))
    metadata = [_metadata(described, code) for code in codes]
    if described.left:
        raise ValueError(f"the metadata of {database}.{table} do not fit its columns' types")
    nullable = tuple(bits(data, len(codes)))
    real = [_real(code, one) for code, one in zip(codes, metadata, strict=True)]
    if not all(types.possible(code, one) for code, one in real):
        raise ValueError(f"a column of {database}.{table} has metadata that its type does not have")
    return TableMap(
        number,
        database,
        table,
        tuple(code for code, _ in real),
        tuple(one for _, one in real),
        nullable,
        *optional(data, [code for code, _ in real], mariadb=mariadb),
        body[ID_BYTES:],
    )


def bits(data: Bytes, count: int) -> Iterator[bool]:
    """Return so many bits, the lowest of each byte first."""
    number = data.number((count + 7) // 8)
    return (bool(number >> at & 1) for at in range(count))


def _names(data: Bytes) -> tuple[str, str]:
    """Return the two names, each of which a zero ends."""
    found = []
    for _ in range(2):
        found.append(data.take(data.packed()).decode())
        data.take(1)
    return found[0], found[1]


def _metadata(data: Bytes, code: int) -> int:
    """Return the metadata of the next column."""
    if code not in _KNOWN:
        raise ValueError(f"column type {code} is unknown")
    found = data.take(types.METADATA_BYTES.get(code, 0))
    return int.from_bytes(found, "big" if code in types.HIGH_BYTE_FIRST else "little")


def _real(code: int, metadata: int) -> tuple[int, int]:
    """Return type and metadata of a column; ENUM, SET and CHAR are all STRING in the log."""
    return types.real_string(metadata) if code == types.STRING else (code, metadata)


_KNOWN = frozenset(range(20)) | set(types.METADATA_BYTES)
