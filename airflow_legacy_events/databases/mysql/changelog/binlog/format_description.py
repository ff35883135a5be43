"""FORMAT_DESCRIPTION, the first event of each file: who wrote it, and how.

Body: version of the format (2 bytes), the server's version (50, padded by zeros), creation time (4), size of a header
(1), size of each type's fixed part (a byte for each type code), checksum algorithm (1), and a checksum (4), which is
there even where the algorithm is 0, none. Servers before MySQL 5.6.1 and MariaDB 5.3 had no algorithm; none of them is
supported.
"""

from __future__ import annotations

from typing import NamedTuple

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes
from airflow_legacy_events.databases.mysql.changelog.binlog.checksum import CHECKSUM_BYTES, ends_with_checksum
from airflow_legacy_events.databases.mysql.changelog.binlog.header import HEADER_BYTES

VERSION = 4
IN_USE_FLAG = 1
"""Of the header, while the server writes to the file; the checksum is of the header without it."""

_ALGORITHMS = {0: False, 1: True}
_FLAGS_AT = 17


class FormatDescription(NamedTuple):
    """How a file was written.

    Attributes:
        server: its version, such as `10.11.19-MariaDB-log`.
        fixed: size of the fixed part of each type of event, by type code minus 1.
        checksums: whether the events have one.
    """

    server: str
    fixed: bytes
    checksums: bool


def format_description(body: bytes) -> FormatDescription:
    """Return what a FORMAT_DESCRIPTION says.

    Args:
        body: of the event, with its checksum.

    Raises:
        ValueError: it is damaged, or of a version that no supported server writes.
    """
    data = Bytes(body, end=max(0, len(body) - CHECKSUM_BYTES - 1))
    version = data.number(2)
    if version != VERSION:
        raise ValueError(f"the binlog has version {version}, and version {VERSION} is read")
    server = data.take(50).split(b"\0", 1)[0].decode("ascii", "replace")
    data.take(4)
    size = data.number(1)
    if size != HEADER_BYTES:
        raise ValueError(f"headers have {size} bytes, and {HEADER_BYTES} are read")
    algorithm = body[data.end]
    if algorithm not in _ALGORITHMS:
        raise ValueError(f"checksum algorithm {algorithm} is unknown")
    return FormatDescription(server, data.rest(), _ALGORITHMS[algorithm])


def intact(head: bytes, body: bytes) -> bool:
    """Return whether the checksum of a FORMAT_DESCRIPTION is right; it leaves out the mark that the file is in use."""
    low = bytes((head[_FLAGS_AT] & ~IN_USE_FLAG,))
    return ends_with_checksum(head[:_FLAGS_AT] + low + head[_FLAGS_AT + 1 :], body)
