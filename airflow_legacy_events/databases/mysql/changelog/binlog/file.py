"""Reads a binlog file, by the same code as a server's dump."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from airflow_legacy_events.databases.mysql.changelog.binlog import faults
from airflow_legacy_events.databases.mysql.changelog.binlog.blocks import BLOCK_BYTES
from airflow_legacy_events.databases.mysql.changelog.binlog.decoder import Decoder, Packet
from airflow_legacy_events.databases.mysql.changelog.binlog.header import HEADER_BYTES, header
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace, Event
from airflow_legacy_events.databases.mysql.changelog.places import FIRST_EVENT

MAGIC, ENCRYPTED_MAGIC = b"\xfebin", b"\xfdbin"


def file_events(path: Path, position: int = FIRST_EVENT) -> Iterator[Event]:
    """Yield the events of a file from a position, which is where one begins, as `Dump.events` yields them.

    Raises:
        TornFileError: the file ends inside of an event.
        SourceError: it is no binlog, damaged, or encrypted.
    """
    place = BinlogPlace(path.name, position)
    decoder = Decoder(place, holes=False)
    with path.open("rb") as data:
        magic = data.read(FIRST_EVENT)
        if magic == ENCRYPTED_MAGIC:
            raise faults.encrypted(path.name)
        if magic != MAGIC:
            raise faults.damaged(BinlogPlace(path.name, 0), "the file does not begin as a binlog does")
        if position > FIRST_EVENT:
            first, rest = next(_packets(data, path.name), (b"", ()))
            decoder.describe(b"".join((first, *rest)))
            data.seek(position)
        yield from decoder.events(_packets(data, path.name))


def _packets(data: BinaryIO, file: str) -> Iterator[Packet]:
    """Yield what a file holds from where it is, event by event."""
    while head := data.read(HEADER_BYTES):
        start = data.tell() - len(head)
        if len(head) < HEADER_BYTES:
            raise faults.torn(BinlogPlace(file, start))
        try:
            size = header(head).size
        except ValueError as error:
            raise faults.damaged(BinlogPlace(file, start), str(error)) from None
        if start + size > os.fstat(data.fileno()).st_size:
            raise faults.torn(BinlogPlace(file, start))
        first = head + data.read(min(size - HEADER_BYTES, BLOCK_BYTES))
        yield first, _rest(data, size - len(first))
        data.seek(start + size)


def _rest(data: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the next bytes in blocks."""
    while size:
        block = data.read(min(size, BLOCK_BYTES))
        if not block:
            return
        size -= len(block)
        yield block
