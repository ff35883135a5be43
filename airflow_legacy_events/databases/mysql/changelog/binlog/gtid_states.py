"""States of MariaDB's GTIDs, as `gtid_binlog_state` has them: the last number of each server in each domain.

A transaction was executed if the last number of its server in its domain is not below its own. Where a state does not
have its server, such as `gtid_slave_pos`, which has the last transaction of each domain alone, or a replica that was
made from a copy, the highest number of the domain says so: a server that becomes the writer continues the numbers.
A server that was behind when it became the writer has that number too, but not those of the former writer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_NAME = re.compile(r"([0-9]+)-([0-9]+)-([0-9]+)", re.ASCII)


class GtidState:
    """The last number of each pair of domain and server."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        """Begin empty."""
        self._last: dict[tuple[int, int], int] = {}

    @classmethod
    def of(cls, text: str) -> GtidState:
        """Return the state that a text means, such as `0-1-7,1-1-3`; an empty text is the empty state.

        Raises:
            ValueError: it is none.
        """
        found = cls()
        for name in filter(None, re.sub(r"\s+", "", text).split(",")):
            found.add(*_parts(name))
        return found

    def add(self, domain: int, server: int, number: int) -> None:
        """Note a transaction; it is the last one of its server in its domain, unless a higher number was noted."""
        before = self._last.pop((domain, server), 0)
        self._last[domain, server] = max(before, number)

    def add_name(self, name: str) -> None:
        """Note the transaction of this name, such as `0-1-7`.

        Raises:
            ValueError: it is none.
        """
        self.add(*_parts(name))

    def update(self, other: GtidState) -> None:
        """Note everything that another state holds."""
        for one in other:
            self.add(*one)

    def __contains__(self, name: str) -> bool:
        """Return whether the transaction of this name was executed."""
        return self._reached(*_parts(name), self.highest())

    def highest(self) -> dict[int, int]:
        """Return the highest number of each domain."""
        found: dict[int, int] = {}
        for (domain, _), number in self._last.items():
            found[domain] = max(number, found.get(domain, 0))
        return found

    def missing(self, other: GtidState) -> GtidState:
        """Return the last transactions of this state that were not executed by another one."""
        highest, found = other.highest(), GtidState()
        for one in self:
            if not other._reached(*one, highest):
                found.add(*one)
        return found

    def _reached(self, domain: int, server: int, number: int, highest: Mapping[int, int]) -> bool:
        return number <= self._last.get((domain, server), highest.get(domain, 0))

    def position(self) -> str:
        """Return the state as `@slave_connect_state` wants it: one GTID for each domain, its highest."""
        highest = self.highest()
        found = {domain: f"{domain}-{server}-{number}" for domain, server, number in self if number == highest[domain]}
        return ",".join(text for _, text in sorted(found.items()))

    def __bool__(self) -> bool:
        """Return whether the state holds anything."""
        return bool(self._last)

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same, in any order."""
        return isinstance(other, GtidState) and self._last == other._last

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> GtidState:
        """Return a state of the same content."""
        found = GtidState()
        found.update(self)
        return found

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Yield domain, server and last number, the server that wrote last in a domain behind the others."""
        return ((domain, server, number) for (domain, server), number in self._last.items())

    def __str__(self) -> str:
        """Return the text, as `gtid_binlog_state` has it, domains in order."""
        return ",".join(f"{one}-{two}-{three}" for one, two, three in sorted(self, key=lambda each: each[0]))

    __repr__ = __str__


def _parts(name: str) -> tuple[int, int, int]:
    """Return domain, server and number of a name."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no GTID of MariaDB, such as 0-1-7")
    return int(found[1]), int(found[2]), int(found[3])
