"""From the bytes of a binlog, as a file holds them or a server sends them, to its events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zlib import crc32

from airflow_legacy_events.databases.mysql.changelog.binlog import codes, faults
from airflow_legacy_events.databases.mysql.changelog.binlog.checksum import CHECKED, CHECKSUM_BYTES, ends_with_checksum
from airflow_legacy_events.databases.mysql.changelog.binlog.compressed import opened
from airflow_legacy_events.databases.mysql.changelog.binlog.format_description import (
    FormatDescription,
    format_description,
    intact,
)
from airflow_legacy_events.databases.mysql.changelog.binlog.header import (
    FIELDS,
    HEADER_BYTES,
    WRAPS,
    Header,
    header,
)
from airflow_legacy_events.databases.mysql.changelog.binlog.parts import Parts
from airflow_legacy_events.databases.mysql.changelog.binlog.payload import nested
from airflow_legacy_events.databases.mysql.changelog.binlog.rotate import rotate
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace, Event
from airflow_legacy_events.databases.mysql.changelog.places import FIRST_EVENT

Packet = tuple[bytes, Iterable[bytes]]
"""An event with its header: its first bytes, all but of a large one, and the parts that follow, none but of such."""

_PLAIN = (
    codes.KNOWN
    - codes.HEARTBEATS
    - frozenset(codes.PLAIN_OF)
    - {
        codes.FORMAT_DESCRIPTION,
        codes.ROTATE,
        codes.START_ENCRYPTION,
        codes.TRANSACTION_PAYLOAD,
    }
)
_MOST_HOLE = 2**31
"""Bytes of the log that a dump may leave out between two events; a header that says more is damaged."""


class Decoder:
    """Decodes one log, event by event; knows where it is.

    Args:
        place: where the first event begins; None for a server's dump, which says so itself.
        holes: whether events may be missing, as in a dump: the server leaves out MariaDB's ANNOTATE_ROWS unless the
            session wants them, and transactions that a dump by GTID does not want. It decrypts what it sends.
        skipped: bytes before each event in its first part.
    """

    def __init__(self, place: BinlogPlace | None = None, *, holes: bool, skipped: int = 0) -> None:
        self._file, self._position = place or BinlogPlace("", FIRST_EVENT)
        self._most_hole, self._skipped = _MOST_HOLE if holes else 0, skipped
        self._start = self._position
        self._format: FormatDescription | None = None
        self._trailer: int | None = None

    @property
    def place(self) -> BinlogPlace:
        """Place behind the last event."""
        return BinlogPlace(self._file, self._position)

    @property
    def server(self) -> str:
        """Version of the server that wrote the file; empty before its FORMAT_DESCRIPTION."""
        return self._format.server if self._format else ""

    @property
    def _checksums(self) -> bool:
        return bool(self._trailer)

    def _describe(self, head: bytes, body: bytes, *, made_up: bool = False) -> None:
        found = format_description(body)
        if not intact(head, body) and (found.checksums or not made_up):
            raise ValueError("the checksum of FORMAT_DESCRIPTION is wrong")
        self._format, self._trailer = found, CHECKSUM_BYTES if found.checksums else 0

    def describe(self, data: bytes) -> None:
        """Take note of a file's FORMAT_DESCRIPTION, if the first event to decode lies behind it.

        Raises:
            SourceError: it is damaged.
        """
        try:
            self._describe(data[:HEADER_BYTES], data[HEADER_BYTES:])
        except ValueError as error:
            raise faults.damaged(BinlogPlace(self._file, FIRST_EVENT), str(error)) from None

    def events(self, packets: Iterable[Packet]) -> Iterator[Event]:
        """Yield the events of packets as `Dump.events` describes them; a real ROTATE and FORMAT_DESCRIPTION are events.

        Of a compressed transaction the last event comes once the checksum of the whole was found to be right. A packet
        is read to its end before the next one is taken.

        Raises:
            SourceError: an event is damaged or unknown; names file and position.
        """
        for first, rest in packets:
            plain = self._plain(first)
            if plain is not None:
                yield plain
                continue
            self._start = self._position
            try:
                yield from self._any(first[self._skipped :], rest)
            except ValueError as error:
                raise faults.damaged(BinlogPlace(self._file, self._start), str(error)) from None

    def _plain(self, first: bytes) -> Event | None:
        """Return the event of a packet if it is of the usual kind: what `_any` gives too, in a third of the time."""
        skipped, trailer = self._skipped, self._trailer
        if trailer is None or len(first) < skipped + HEADER_BYTES:
            return None
        time, kind, server_id, size, end, flags = FIELDS.unpack_from(first, skipped)
        if kind not in _PLAIN or flags & codes.ARTIFICIAL_FLAG or len(first) != size + skipped:
            return None
        behind = self._position + size
        if end:
            hole = (end - behind) % WRAPS
            if hole > self._most_hole:
                return None
            behind += hole
        if trailer and crc32(memoryview(first)[skipped:]) != CHECKED:
            return None
        self._position = behind
        body = first[skipped + HEADER_BYTES : len(first) - trailer]
        return Event(kind, time, server_id, flags, self._file, behind - size, behind, body)

    def _any(self, first: bytes, rest: Iterable[bytes]) -> Iterator[Event]:
        """Yield the events of a packet."""
        head = header(first)
        # A dump of MySQL by GTID sends that of the file, unchanged, wherever it begins.
        again = head.kind == codes.FORMAT_DESCRIPTION and self._start != FIRST_EVENT
        if head.artificial or again:
            self._made_up(head, b"".join((first, *rest)))
            return
        self._move(head)
        if head.kind == codes.TRANSACTION_PAYLOAD:
            yield from self._nested(head, first, rest)
            return
        found = self._event(head, self._checked(head, b"".join((first, *rest))))
        if found is not None:
            yield found

    def _move(self, head: Header) -> None:
        """Go behind an event: its place follows from its size, and from the position that it says."""
        if not self._format and head.kind != codes.FORMAT_DESCRIPTION:
            raise ValueError("the log does not begin with FORMAT_DESCRIPTION")
        behind = head.position_behind(self._start)
        hole = behind - head.size - self._start
        if hole > self._most_hole:
            raise ValueError(f"the header of an event says position {head.end}")
        self._start, self._position = self._start + hole, behind

    def _event(self, head: Header, body: bytes, *, nested: bool = False) -> Event | None:
        """Return an event; None for one that is skipped."""
        kind = head.kind
        if kind not in codes.KNOWN:
            if head.ignorable:
                return None
            raise faults.unknown(BinlogPlace(self._file, self._start), kind)
        if kind == codes.START_ENCRYPTION:
            if self._most_hole:  # a server decrypts what it sends
                return None
            raise faults.encrypted(self._file)
        if kind in codes.PLAIN_OF:
            kind, body = opened(kind, body)
        return Event(kind, head.time, head.server_id, head.flags, self._file, self._start, self._position, body, nested)

    def _checked(self, head: Header, data: bytes) -> bytes:
        """Return the body of a whole event, its checksum found right."""
        if len(data) != head.size:
            raise ValueError(f"the header of an event says {head.size} bytes, and {len(data)} came")
        if head.kind == codes.FORMAT_DESCRIPTION:
            self._describe(data[:HEADER_BYTES], data[HEADER_BYTES:])
            return data[HEADER_BYTES:-CHECKSUM_BYTES]
        if not self._checksums:
            return data[HEADER_BYTES:]
        if crc32(data) != CHECKED:
            raise ValueError("the checksum of an event is wrong")
        return data[HEADER_BYTES:-CHECKSUM_BYTES]

    def _nested(self, head: Header, first: bytes, rest: Iterable[bytes]) -> Iterator[Event]:
        """Yield the events of a compressed transaction, the last one once the checksum is right."""
        parts = Parts(
            first[:HEADER_BYTES], first[HEADER_BYTES:], rest, head.size - HEADER_BYTES, checksum=self._checksums
        )
        waiting: Event | None = None
        for inner, body in nested(parts.read):
            if waiting is not None:
                yield waiting
            waiting = self._event(inner, body, nested=True)
        if not parts.right():
            raise ValueError("the checksum of an event is wrong")
        if waiting is not None:
            yield waiting

    def _made_up(self, head: Header, data: bytes) -> None:
        """Take note of what the server made up for this dump: where it is, and how the file was written.

        Others are left out, but only if they are intact: a damaged event of the log may look as if it was made up.
        """
        if not self._most_hole:
            raise ValueError("an event of a file says that it is not of it")
        body = data[HEADER_BYTES:]
        if head.kind == codes.FORMAT_DESCRIPTION:
            # Without checksums MariaDB leaves that of the file, though it changed the event.
            self._describe(data[:HEADER_BYTES], body, made_up=True)
        elif head.kind == codes.ROTATE:
            summed = ends_with_checksum(data[:HEADER_BYTES], body)
            self._file, self._position = rotate(body[:-CHECKSUM_BYTES] if summed else body)
        elif len(data) != head.size or (self._checksums and crc32(data) != CHECKED):
            raise ValueError("the checksum of an event is wrong")
