"""Headers of events: 19 bytes in version 4 of the binlog, which all servers since MySQL 5.0 write."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from airflow_legacy_events.databases.mysql.changelog.binlog.codes import (
    ARTIFICIAL_FLAG,
    FORMAT_DESCRIPTION,
    HEARTBEATS,
    IGNORABLE_FLAG,
    ROTATE,
    START_ENCRYPTION,
)

HEADER_BYTES = 19
MOST_BYTES = 2**30 + 2**20
"""No event is longer: the server's `max_allowed_packet` ends at 1 GiB, and its headers come on top."""

FIELDS = Struct("<IBIIIH")
"""Time, type code, server ID, size, end and flags: the header, as `Header` has it."""
WRAPS = 2**32
"""Positions in headers are counted up to here, and begin at 0 again."""


class Header(NamedTuple):
    """Header of an event.

    Attributes:
        time: in seconds since 1970.
        kind: type code.
        server_id: of the server that wrote it first.
        size: of the event with header and checksum, in bytes.
        end: the low 32 bits of the position behind it; 0 if the event does not say it: one that the server made for
            a session, one inside of a payload, and one that MariaDB 11.4 or later had in a transaction's cache.
        flags: see `codes`.
    """

    time: int
    kind: int
    server_id: int
    size: int
    end: int
    flags: int

    @property
    def ignorable(self) -> bool:
        """Whether a reader that does not know its type skips it."""
        return bool(self.flags & IGNORABLE_FLAG)

    @property
    def artificial(self) -> bool:
        """Whether the server made the event for this session."""
        if self.flags & ARTIFICIAL_FLAG or self.kind in HEARTBEATS:
            return True
        return self.end == 0 and self.kind in (ROTATE, FORMAT_DESCRIPTION, START_ENCRYPTION)

    def position_behind(self, start: int) -> int:
        """Return in 64 bits the position behind the event.

        Args:
            start: position behind the event before it; where events are left out, the event begins later.
        """
        behind = start + self.size
        return behind + (self.end - behind) % WRAPS if self.end else behind


def header(data: bytes, at: int = 0) -> Header:
    """Return the header that 19 bytes hold.

    Raises:
        ValueError: it is cut off, or says a size that no event has.
    """
    if len(data) - at < HEADER_BYTES:
        raise ValueError(f"a header has {HEADER_BYTES} bytes, and {len(data) - at} are there")
    found = Header._make(FIELDS.unpack_from(data, at))
    if not HEADER_BYTES <= found.size <= MOST_BYTES:
        raise ValueError(f"an event has {HEADER_BYTES} to {MOST_BYTES} bytes, and its header says {found.size}")
    return found
