"""MariaDB's compressed events (`log_bin_compress`): QUERY and rows events whose last part is compressed by zlib.

That part begins with a byte: its highest bit is set, the next three are the algorithm, 0 for zlib, the lowest three
the size of the uncompressed length, which follows, the highest byte first. Of a QUERY the statement is compressed, of
rows the images. Source: `binlog_get_uncompress_len` and `Rows_log_event`.
"""

from __future__ import annotations

import zlib

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes
from airflow_legacy_events.databases.mysql.changelog.binlog.codes import PLAIN_OF, ROWS
from airflow_legacy_events.databases.mysql.changelog.binlog.header import MOST_BYTES
from airflow_legacy_events.databases.mysql.changelog.binlog.rows_event import rows_event

_SIGN, _ALGORITHM, _SIZE = 0x80, 0x70, 0x07
_FIXED_BYTES = 13


def opened(kind: int, body: bytes) -> tuple[int, bytes]:
    """Return type code and body of an event as it would be without compression; others stay as they are.

    Raises:
        ValueError: it is damaged, or its content is not as long as it says.
    """
    plain = PLAIN_OF.get(kind)
    if plain is None:
        return kind, body
    at = rows_event(plain, body).at if plain in ROWS else _statement_at(body)
    return plain, body[:at] + _inflated(Bytes(body, at))


def _statement_at(body: bytes) -> int:
    """Return where the statement of a QUERY begins."""
    data = Bytes(body)
    data.take(8)
    length = data.number(1)
    data.take(2)
    return _FIXED_BYTES + data.number(2) + length + 1


def _inflated(data: Bytes) -> bytes:
    """Return what a compressed part holds; never more than it says."""
    first = data.number(1)
    if not first & _SIGN or first & _ALGORITHM:
        raise ValueError(f"a compressed event begins with {first:#x}, which is not zlib")
    size = int.from_bytes(data.take(first & _SIZE), "big")
    if size > MOST_BYTES:
        raise ValueError(f"a compressed event says that it holds {size} bytes, more than any event")
    opener = zlib.decompressobj()
    try:
        found = opener.decompress(data.rest(), size + 1)
    except zlib.error as error:
        raise ValueError(f"a compressed event can't be opened: {error}") from None
    if len(found) != size or not opener.eof:
        raise ValueError(f"a compressed event does not hold the {size} bytes that it says")
    return found
