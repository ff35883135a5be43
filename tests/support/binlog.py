"""Bytes of the binlog, as servers write them."""

import struct
import zlib

from airflow_legacy_events.databases.mysql.changelog.binlog import codes

MAGIC = b"\xfebin"
HEADER = struct.Struct("<IBIIIH")


def event(kind, body, *, start=None, checksum=True, flags=0, time=1, server=7, at=None):
    """An event that begins at `start`, or says no position; `at` is the position that it says then."""
    size = HEADER.size + len(body) + 4 * checksum
    end = at if at is not None else 0 if start is None else (start + size) % 2**32
    data = HEADER.pack(time, kind, server, size, end, flags) + body
    return data + zlib.crc32(data).to_bytes(4, "little") if checksum else data


def format_description(*, start=4, checksum=True, version="9.7.4", flags=0):
    """The first event of a file; it has a checksum even if the others have none."""
    body = struct.pack("<H50sIB", 4, version.encode(), 0, HEADER.size) + bytes(codes.GTID_TAGGED) + bytes([checksum])
    found = event(codes.FORMAT_DESCRIPTION, body, start=start, checksum=True)
    return found[:17] + struct.pack("<H", flags) + found[19:]


def file_of(*events, checksum=True):
    """A file: events are pairs of a type and a body, and follow a FORMAT_DESCRIPTION."""
    found = MAGIC + format_description(checksum=checksum)
    for kind, body in events:
        found += event(kind, body, start=len(found), checksum=checksum)
    return found


def raw_events(data):
    """The events of a file, each with its header and checksum."""
    at = len(MAGIC)
    while at < len(data):
        size = HEADER.unpack_from(data, at)[3]
        yield data[at : at + size]
        at += size


def without_checksums(data):
    """The same file as a server with `binlog_checksum=NONE` writes it."""
    found = MAGIC
    for one in raw_events(data):
        time, kind, server, _, end, flags = HEADER.unpack_from(one)
        body = one[HEADER.size : -4]
        start = len(found) if end else None
        if kind == codes.FORMAT_DESCRIPTION:
            found += event(kind, body[:-1] + b"\0", start=start, flags=flags, time=time, server=server)
        else:
            found += event(kind, body, start=start, checksum=False, flags=flags, time=time, server=server)
    return found


def packed(number):
    """A length-encoded number."""
    for mark, limit, size in ((None, 0xFB, 1), (0xFC, 2**16, 2), (0xFD, 2**24, 3), (0xFE, 2**64, 8)):
        if number < limit:
            return (b"" if mark is None else bytes([mark])) + number.to_bytes(size, "little")
    raise ValueError(number)


def payload(plain, data, *, compression=0, size=None):
    """The body of a TRANSACTION_PAYLOAD: `data` is the compressed form of the events `plain`."""
    fields = ((1, len(data)), (2, compression), (3, len(plain) if size is None else size))
    encoded = b"".join(packed(kind) + packed(len(packed(value))) + packed(value) for kind, value in fields)
    return encoded + b"\0" + data
