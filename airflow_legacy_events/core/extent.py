"""Size of messages in bytes of UTF-8, for the report and for a topic's limit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, filterfalse
from typing import NamedTuple, TypeAlias, cast

Parts: TypeAlias = Sequence[str | bytes | None]


class Extent(NamedTuple):
    """Bytes of some messages.

    Attributes:
        total: of all keys and values.
        longest: upper bound of one message's key and value together.
    """

    total: int = 0
    longest: int = 0

    def joined(self, other: Extent) -> Extent:
        """Return the extent of these messages and others together."""
        return Extent(self.total + other.total, max(self.longest, other.longest))


class Measured(NamedTuple):
    """An extent with the lists it was measured from; other lists must be measured again."""

    extent: Extent
    keys: Parts
    values: Parts

    @classmethod
    def of(cls, keys: Parts, values: Parts) -> Measured:
        """Measure messages."""
        return cls(extent_of(keys, values), keys, values)

    def is_of(self, keys: Parts, values: Parts) -> bool:
        """Whether exactly these list objects were measured."""
        return self.keys is keys and self.values is values


def extent_of(keys: Parts, values: Parts) -> Extent:
    """Measure messages."""
    (total, longest), (more, longest_value) = _measured(keys), _measured(values)
    return Extent(total + more, longest + longest_value)


def _measured(parts: Parts) -> tuple[int, int]:
    """Bytes of all parts, and of the longest one."""
    try:
        texts = cast("Sequence[str]", parts)
        lengths = list(map(len, texts))
        wide = list(filterfalse(str.isascii, texts))  # usually few: only these need encoding
    except TypeError:
        lengths = [len(part.encode() if isinstance(part, str) else part or b"") for part in parts]
        return sum(lengths), max(lengths, default=0)
    encoded = [len(text.encode()) for text in wide]
    return sum(lengths) + sum(encoded) - sum(map(len, wide)), max(chain(lengths, encoded), default=0)
