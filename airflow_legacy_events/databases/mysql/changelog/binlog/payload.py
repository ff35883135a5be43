"""TRANSACTION_PAYLOAD: a whole transaction in one event (`binlog_transaction_compression`, MySQL 8.0.20 and later).

Body: fields, each its type, its length and its value, all length-encoded: 1 size of the payload, 2 compression (0 zstd,
255 none), 3 size before compression; 0 ends them. Then the payload: events with headers, without checksums. Source:
`Transaction_payload_event` and `codecs/binary.cpp` of MySQL.

It is decompressed while it comes, a block at a time, and never further than the size that it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, cast

from zstandard import ZstdDecompressor, ZstdError

from airflow_legacy_events.databases.mysql.changelog.binlog.blocks import BLOCK_BYTES, Blocks
from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes
from airflow_legacy_events.databases.mysql.changelog.binlog.codes import TRANSACTION_PAYLOAD
from airflow_legacy_events.databases.mysql.changelog.binlog.header import Header

_END, _SIZE, _COMPRESSION, _PLAIN_SIZE = range(4)
_ZSTD, _NONE = 0, 255
_LONGEST_FIELD = 2**16


def nested(read: Callable[[int], bytes]) -> Iterator[tuple[Header, bytes]]:
    """Yield header and body of each event of a payload.

    Args:
        read: returns at most so many bytes of the event's body, at least one, and none at its end.

    Raises:
        ValueError: it is damaged, or compressed in a way that is unknown.
    """
    packed = Blocks(read)
    compressed, size = _described(packed)
    plain = Blocks(_decompressed(packed)) if compressed else packed
    left = size
    while left:
        head, body = plain.event(left)
        left -= head.size
        if head.kind == TRANSACTION_PAYLOAD:
            raise ValueError("a payload stands in a payload")
        yield head, body
    if plain.read(1) or packed.read(1):
        raise ValueError(f"a payload holds more than the {size} bytes of events that it says")


def _described(data: Blocks) -> tuple[bool, int]:
    """Return whether a payload is compressed, and the bytes of its events."""
    fields: dict[int, int] = {}
    while (kind := data.packed()) != _END:
        length = data.packed()
        if length > _LONGEST_FIELD:
            raise ValueError(f"a payload has a field of {length} bytes before it")
        value = Bytes(data.take(length))
        fields[kind] = value.packed() if kind in (_SIZE, _COMPRESSION, _PLAIN_SIZE) else 0
    compression, size = fields.get(_COMPRESSION, _ZSTD), fields.get(_SIZE)
    if size is None or compression not in (_ZSTD, _NONE):
        raise ValueError(f"a payload is compressed in the unknown way {compression}, or does not say its size")
    return compression == _ZSTD, fields.get(_PLAIN_SIZE, size)


def _decompressed(packed: Blocks) -> Callable[[int], bytes]:
    """Return what reads a payload behind its decompression."""
    source = cast("IO[bytes]", packed)  # it is read, nothing else
    reader = ZstdDecompressor().stream_reader(source, read_size=BLOCK_BYTES, read_across_frames=True)

    def read(size: int) -> bytes:
        try:
            found: bytes = reader.read(size)
        except ZstdError as error:
            raise ValueError(f"a payload can't be decompressed: {error}") from None
        return found

    return read
