"""Message sizes as the broker counts them: the only record of a record batch, before compression.

https://kafka.apache.org/documentation/#recordbatch: 61 bytes of batch header, then length, attributes,
timestamp delta, offset delta, key, value and headers, lengths as zigzag varints. The broker may take a larger message
that compresses well; what is rejected here must not depend on that.
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow_legacy_events.core.model import Messages

_BATCH_HEADER = 61
_ATTRIBUTES_AND_DELTAS = 3
_LENGTHS = 20  # of the record, its key, its value and its number of headers, 5 bytes at most each


def too_large(messages: Messages, limit: int) -> list[tuple[int, int]]:
    """Return index and size of every message whose record batch would exceed `limit` bytes."""
    if messages.each is None:
        rest = _BATCH_HEADER + _ATTRIBUTES_AND_DELTAS + _LENGTHS + _fields(messages.headers)
        if messages.extent.longest + rest <= limit:
            return []
    sizes = (record_batch_bytes(messages, at) for at in range(len(messages.values)))
    return [(at, size) for at, size in enumerate(sizes) if size > limit]


def record_batch_bytes(messages: Messages, at: int) -> int:
    """Return the exact size of a record batch, uncompressed, that holds nothing but the message at `at`."""
    headers = messages.headers_of(at)
    body = _ATTRIBUTES_AND_DELTAS + _field(messages.keys[at]) + _field(messages.values[at]) + _varint(len(headers))
    body += _fields(headers)
    return _BATCH_HEADER + _varint(body) + body


def _fields(headers: Iterable[tuple[str, str]]) -> int:
    return sum(_field(name) + _field(value) for name, value in headers)


def _field(part: str | bytes | None) -> int:
    if part is None:
        return 1
    size = len(part.encode() if isinstance(part, str) else part)
    return _varint(size) + size


def _varint(value: int) -> int:
    return max(1, ((value << 1).bit_length() + 6) // 7)
