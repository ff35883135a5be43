"""Message sizes as the broker counts them: the only record of a record batch, before compression.

https://kafka.apache.org/documentation/#recordbatch: 61 bytes of batch header, then length, attributes, timestamp delta,
offset delta, key, value and headers, lengths as zigzag varints. The broker may accept a larger message that compresses
well; rejection here must not depend on that.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from airflow_legacy_events.core.model import AnyHeaders, Messages

_BATCH_HEADER = 61
_ATTRIBUTES_AND_DELTAS = 3
_LENGTH = 5  # maximum size of any length
_LENGTHS = 4 * _LENGTH  # of the record, its key, its value and its number of headers
_BYTES = 4  # maximum size of a character in UTF-8


def too_large(messages: Messages, smallest: int, limit_of: Callable[[int], int]) -> list[tuple[int, int]]:
    """Return index and size of every message whose record batch would exceed its limit.

    Args:
        messages: of one batch.
        smallest: lower bound of all limits; if all messages are below it, none is checked individually.
        limit_of: returns the limit of the message at an index, in bytes.
    """
    rest = _BATCH_HEADER + _ATTRIBUTES_AND_DELTAS + _LENGTHS + _fields(messages.headers) + _longest_headers(messages)
    if messages.extent.longest + rest <= smallest:
        return []
    found = []
    for at, (key, value) in enumerate(zip(messages.keys, messages.values, strict=True)):
        limit = limit_of(at)
        if (len(key or "") + len(value or "")) * _BYTES + rest > limit:
            size = record_batch_bytes(messages, at)
            if size > limit:
                found.append((at, size))
    return found


def record_batch_bytes(messages: Messages, at: int) -> int:
    """Return the exact uncompressed size of a record batch that holds only the message at `at`."""
    headers = messages.headers_of(at)
    body = _ATTRIBUTES_AND_DELTAS + _field(messages.keys[at]) + _field(messages.values[at]) + _varint(len(headers))
    body += _fields(headers)
    return _BATCH_HEADER + _varint(body) + body


def _longest_headers(messages: Messages) -> int:
    """Return an upper bound for the bytes of any message's own headers."""
    if messages.each is None:
        return 0
    most, every = max(map(len, messages.each), default=0), list(chain.from_iterable(messages.each))
    name, value = (max((len(one[part] or "") for one in every), default=0) for part in (0, 1))
    return most * (_BYTES * (name + value) + 2 * _LENGTH)


def _fields(headers: AnyHeaders) -> int:
    return sum(_field(name) + _field(value) for name, value in headers)


def _field(part: str | bytes | None) -> int:
    if part is None:
        return 1
    size = len(part.encode() if isinstance(part, str) else part)
    return _varint(size) + size


def _varint(value: int) -> int:
    return max(1, ((value << 1).bit_length() + 6) // 7)
