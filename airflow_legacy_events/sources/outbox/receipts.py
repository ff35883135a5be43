"""Receipts: which rows of an outbox were delivered, and what each of them was.

A receipt is a list of parts. A run of consecutive integer ids is `[first, last, versions]`; other rows are
`[keys, versions]`, a key being a text, or a list of texts where several columns identify a row. `versions` is base64 of
four bytes a row, or of four bytes in all where all rows have one version: a transaction of PostgreSQL has one.
"""

from __future__ import annotations

import base64
import itertools
import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.model import Receipt

Key = tuple[str, ...]


class ReceivedRow(NamedTuple):
    """A row that was delivered.

    Attributes:
        key: texts of the columns that identify it.
        version: what it was, 0 to 2^32 - 1.
    """

    key: Key
    version: int


def receipt_of(rows: Sequence[ReceivedRow], *, integers: bool) -> Receipt | None:
    """Return the receipt of rows; None where there are none.

    Args:
        rows: in any order; runs are found among neighbours.
        integers: whether the key is one integer.
    """
    if not rows:
        return None
    if not integers:
        keys = [row.key[0] if len(row.key) == 1 else list(row.key) for row in rows]
        return ([keys, _packed(rows)],)
    numbered = ((int(row.key[0]), row) for row in rows)
    runs = itertools.groupby(enumerate(numbered), key=lambda one: one[1][0] - one[0])
    parts = []
    for _, run in runs:
        found = [pair for _, pair in run]
        parts.append([found[0][0], found[-1][0], _packed([row for _, row in found])])
    return tuple(parts)


def received(receipt: Receipt) -> Iterator[ReceivedRow]:
    """Yield the rows of a receipt.

    Raises:
        ValueError: a person edited it, and it can't be understood.
    """
    try:
        for part in receipt:
            keys = _keys(part)
            yield from map(ReceivedRow, keys, _unpacked(part[-1], len(keys)))
    except (IndexError, TypeError, struct.error) as error:
        raise ValueError("it is no receipt") from error


def _keys(part: Any) -> list[Key]:
    if len(part) == 3:  # noqa: PLR2004  first, last, versions
        return [(str(number),) for number in range(part[0], part[1] + 1)]
    return [(key,) if isinstance(key, str) else tuple(key) for key in part[0]]


def _packed(rows: Sequence[ReceivedRow]) -> str:
    versions = [row.version for row in rows]
    if len(set(versions)) == 1:
        versions = versions[:1]
    return base64.b64encode(struct.pack(f">{len(versions)}I", *versions)).decode()


def _unpacked(text: str, count: int) -> Sequence[int]:
    raw = base64.b64decode(text, validate=True)
    versions = struct.unpack(f">{len(raw) // 4}I", raw)
    if len(versions) not in (1, count):
        raise ValueError("it is no receipt")
    return versions if len(versions) == count else versions * count
