"""How large a message is for the broker: as the only record of a record batch.

https://kafka.apache.org/documentation/#recordbatch: 61 bytes of batch header, then length, attributes,
timestamp delta, offset delta, key, value and headers, lengths as zigzag varints.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow_legacy_events.core.model import Headers, Messages

_BATCH_HEADER = 61
_ATTRIBUTES_AND_DELTAS = 3
_LONGEST_CHARACTER = 4
_SLACK = 128


def too_large(messages: Messages, limit: int) -> list[tuple[int, int]]:
    """Return place and size of every message whose record batch would exceed `limit` bytes."""
    constant = sum(len(name) + len(value) for name, value in messages.headers) * _LONGEST_CHARACTER + _SLACK
    if messages.each is None and _bound(messages.keys) + _bound(messages.values) + constant <= limit:
        return []
    sizes = (record_batch_bytes(messages, at) for at in range(len(messages.values)))
    return [(at, size) for at, size in enumerate(sizes) if size > limit]


def record_batch_bytes(messages: Messages, at: int) -> int:
    """Return the exact size of a record batch, uncompressed, that holds nothing but the message at `at`."""
    headers: Headers = (*messages.headers, *(messages.each[at] if messages.each is not None else ()))
    body = _ATTRIBUTES_AND_DELTAS + _field(messages.keys[at]) + _field(messages.values[at]) + _varint(len(headers))
    body += sum(_field(name) + _field(value) for name, value in headers)
    return _BATCH_HEADER + _varint(body) + body


def _bound(parts: Sequence[str | bytes | None]) -> int:
    return max((len(part) for part in parts if part is not None), default=0) * _LONGEST_CHARACTER


def _field(part: str | bytes | None) -> int:
    if part is None:
        return 1
    size = len(part.encode() if isinstance(part, str) else part)
    return _varint(size) + size


def _varint(value: int) -> int:
    return max(1, ((value << 1).bit_length() + 6) // 7)
