"""Receipts: which rows of an outbox were delivered, and the version of each.

A receipt is a list of parts. A run of consecutive integer ids is `[first, last, versions]`. Other rows are
`[keys, versions]`; a key is a text, or a list of texts if several columns identify a row. `versions` is base64 of four
bytes a row, or of four bytes in all if all rows have the same version, as in a PostgreSQL transaction. A run is split
where versions change, if that makes the receipt shorter.
"""

from __future__ import annotations

import base64
import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import ne, sub
from typing import Any, NamedTuple

from airflow_legacy_events.core.model import Receipt

Key = tuple[str, ...]

_PART_ROWS = 8
"""A separate part takes about as many characters as the versions of this many rows."""


class ReceivedRow(NamedTuple):
    """A delivered row.

    Attributes:
        key: texts of the columns that identify it.
        version: when it was read, 0 to 2^32 - 1.
    """

    key: Key
    version: int


@dataclass(frozen=True, slots=True)
class Received:
    """Delivered rows, column by column.

    Attributes:
        keys: of the rows.
        versions: of the rows.
    """

    keys: Sequence[Key]
    versions: Sequence[int]

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[ReceivedRow]:
        return map(ReceivedRow, self.keys, self.versions)

    def part(self, at: int, size: int) -> Received:
        """Return at most `size` rows from a place on."""
        return Received(self.keys[at : at + size], self.versions[at : at + size])


def receipt_of(rows: Received, *, integers: bool) -> Receipt | None:
    """Return the receipt of rows; None if there are none.

    Args:
        rows: in any order; runs are found only among adjacent rows.
        integers: whether the key is one integer.
    """
    if not rows.keys:
        return None
    if not integers:
        return ([[key[0] if len(key) == 1 else list(key) for key in rows.keys], _packed(rows.versions)],)
    numbers, versions = [int(number) for (number,) in rows.keys], rows.versions
    borders = {0, *_changes(list(map(sub, numbers, itertools.count()))), len(numbers)}
    changes = _changes(versions)
    if len(changes) * _PART_ROWS < len(numbers):
        borders.update(changes)
    runs = itertools.pairwise(sorted(borders))
    return tuple([numbers[first], numbers[end - 1], _packed(versions[first:end])] for first, end in runs)


def received(receipt: Receipt, width: int) -> Received:
    """Return the rows of a receipt.

    Args:
        receipt: of a watermark.
        width: number of columns that identify a row.

    Raises:
        ValueError: it is malformed, as after a person edited it.
    """
    keys: list[Key] = []
    versions: list[int] = []
    try:
        for part in receipt:
            found = _keys(part, width)
            keys += found
            versions += _unpacked(part[-1], len(found))
    except (IndexError, TypeError, struct.error) as error:
        raise ValueError("it is not a receipt") from error
    return Received(keys, versions)


def _changes(values: Sequence[int]) -> list[int]:
    """Return the places of values that differ from the previous one."""
    return list(itertools.compress(itertools.count(1), map(ne, itertools.islice(values, 1, None), values)))


def _keys(part: Any, width: int) -> list[Key]:
    if len(part) == 3 and width == 1:  # noqa: PLR2004  first, last, versions
        return [(str(number),) for number in range(part[0], part[1] + 1)]
    written, _ = part
    keys = [(key,) if isinstance(key, str) else tuple(key) for key in written]
    if not isinstance(written, list) or any([*map(type, key)] != [str] * width for key in keys):
        raise TypeError("keys are texts, or lists of so many texts as columns identify a row")
    return keys


def _packed(versions: Sequence[int]) -> str:
    if len(set(versions)) == 1:
        versions = versions[:1]
    return base64.b64encode(struct.pack(f">{len(versions)}I", *versions)).decode()


def _unpacked(text: str, count: int) -> Sequence[int]:
    raw = base64.b64decode(text, validate=True)
    versions = struct.unpack(f">{len(raw) // 4}I", raw)
    if len(versions) not in (1, count):
        raise ValueError("it is not a receipt")
    return versions if len(versions) == count else versions * count
