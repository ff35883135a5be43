"""GTID_TAGGED (MySQL 8.3 and later): a GTID event in the server's own serialization.

Numbers have 1 to 9 bytes, the lowest first: as many 1 bits as the first byte ends with, so many bytes follow, and the
number stands above these bits and a 0; behind a first byte of eight 1 bits stand the 64 bits of the number. The lowest
bit of a signed number is its sign. A message is its version, its size, the last field that a reader must know, then
fields, each its number and its value. Fields: 0 flags, 1 UUID (16 numbers), 2 number (signed), 3 tag (its length and
its bytes), 4 and 5 logical times (signed), 6 commit time on this server in microseconds, 7 on the first one if that
differs, 8 length of the transaction, 9 and 10 versions, 11 ticket. Source: `Gtid_event::define_fields` and the README
of `libs/mysql/serialization`.
"""

from __future__ import annotations

from uuid import UUID

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes

_VERSION = 1
_UUID_BYTES, _TAG_BYTES = 16, 32
_UUID, _NUMBER, _TAG, _HERE, _FIRST = 1, 2, 3, 6, 7
_LAST_KNOWN = 11
_ALL_ONES = 8


def tagged(data: Bytes) -> tuple[str, int | None]:
    """Return name and commit time of a GTID_TAGGED event; the time is in microseconds, that of the first server.

    Raises:
        ValueError: it is damaged, or holds fields that are unknown and must not be.
    """
    version, _, needed = unsigned(data), unsigned(data), unsigned(data)
    if version != _VERSION or needed > _LAST_KNOWN:
        raise ValueError(f"a GTID event of version {version} needs field {needed}, and {_LAST_KNOWN} are known")
    found = _fields(data)
    if _UUID not in found or _NUMBER not in found:
        raise ValueError("a GTID event names no transaction")
    micros = found.get(_FIRST, found.get(_HERE))
    parts = (found[_UUID], found.get(_TAG), found[_NUMBER])
    return ":".join(str(part) for part in parts if part), None if micros is None else int(micros)


def unsigned(data: Bytes) -> int:
    """Return the next number."""
    first = data.number(1)
    more = (~first & (first + 1)).bit_length() - 1
    if more == _ALL_ONES:
        return data.number(8)
    return (first | data.number(more) << 8) >> (more + 1)


def signed(data: Bytes) -> int:
    """Return the next signed number."""
    number = unsigned(data)
    return ~(number >> 1) if number & 1 else number >> 1


def _fields(data: Bytes) -> dict[int, int | str]:
    """Return the fields, up to the first unknown one; the UUID and the tag as texts."""
    found: dict[int, int | str] = {}
    while data.left:
        field = unsigned(data)
        if field == _UUID:
            found[field] = str(UUID(bytes=_small(data, _UUID_BYTES)))
        elif field == _TAG:
            found[field] = _tag(data)
        elif field in (_NUMBER, 4, 5):
            found[field] = signed(data)
        elif field <= _LAST_KNOWN:
            found[field] = unsigned(data)
        else:
            break
    return found


def _small(data: Bytes, count: int) -> bytes:
    """Return numbers below 256 as bytes."""
    return bytes(unsigned(data) for _ in range(count))


def _tag(data: Bytes) -> str:
    """Return a tag: up to 32 letters, digits and underscores."""
    length = unsigned(data)
    if length > _TAG_BYTES:
        raise ValueError(f"a tag has at most {_TAG_BYTES} characters, and a GTID event says {length}")
    return data.take(length).decode("ascii")
