"""Sets of MySQL's GTIDs, as `gtid_executed` has them: `uuid:1-5:7,uuid2:1-3:tag:1-2`.

Each source (a UUID, and from MySQL 8.3 on a tag) has intervals of numbers. The server's text has sources in their
order, tags behind the plain numbers of their UUID, and lines broken behind commas; letters may be of either case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from uuid import UUID

Intervals = list[tuple[int, int]]
Source = tuple[str, str]

_NUMBERS = re.compile(r"([0-9]+)(?:-([0-9]+))?", re.ASCII)
_TAG = re.compile(r"[a-z_][a-z0-9_]{0,31}", re.ASCII)
_MOST = 2**63 - 1


class GtidSet:
    """A set of GTIDs; mutable, so that a reader adds each transaction that it saw."""

    __slots__ = ("_sources",)

    def __init__(self, sources: Mapping[Source, Intervals] | None = None) -> None:
        """Begin empty, or with a copy of what another one holds."""
        self._sources = {source: list(intervals) for source, intervals in (sources or {}).items()}

    @classmethod
    def of(cls, text: str) -> GtidSet:
        """Return the set that a text means; an empty text is the empty set.

        Raises:
            ValueError: it is no set of GTIDs.
        """
        found = cls()
        for part in filter(None, re.sub(r"\s+", "", text).lower().split(",")):
            for source, tag, first, last in _numbers(part):
                found.add(source, tag, first, last)
        return found

    def add(self, source: str, tag: str, first: int, last: int) -> None:
        """Add the numbers from `first` to `last` of a source; the order in which the log adds them costs nothing.

        Raises:
            ValueError: these are no numbers of transactions.
        """
        if not 1 <= first <= last <= _MOST:
            raise ValueError(f"{first}-{last} are no numbers of transactions")
        intervals = self._sources.setdefault((source, tag), [])
        if intervals and intervals[-1][0] <= first <= intervals[-1][1] + 1:
            intervals[-1] = (intervals[-1][0], max(last, intervals[-1][1]))
        else:
            self._sources[source, tag] = _merged([*intervals, (first, last)])

    def add_name(self, name: str) -> None:
        """Add the transaction of this name, such as `uuid:7` or `uuid:tag:7`.

        Raises:
            ValueError: it is none.
        """
        uuid, _, number = name.rpartition(":")
        if (uuid, "") in self._sources and number.isdecimal() and number.isascii():
            self.add(uuid, "", int(number), int(number))
            return
        for source, tag, first, last in _numbers(name.lower()):
            self.add(source, tag, first, last)

    def update(self, other: GtidSet) -> None:
        """Add everything that another set holds."""
        for (source, tag), intervals in other._sources.items():
            for first, last in intervals:
                self.add(source, tag, first, last)

    def __contains__(self, name: str) -> bool:
        """Return whether the transaction of this name, or each of several, is in the set."""
        return GtidSet.of(name) <= self

    def __le__(self, other: GtidSet) -> bool:
        """Return whether another set holds all of this one."""
        return not self.missing(other)

    def missing(self, other: GtidSet) -> GtidSet:
        """Return what of this set another one lacks."""
        left = ((source, _without(mine, other._sources.get(source, []))) for source, mine in self._sources.items())
        return GtidSet({source: intervals for source, intervals in left if intervals})

    def __bool__(self) -> bool:
        """Return whether the set holds anything."""
        return any(self._sources.values())

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same."""
        return isinstance(other, GtidSet) and self._sources == other._sources

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> GtidSet:
        """Return a set of the same content."""
        return GtidSet(self._sources)

    def __iter__(self) -> Iterator[tuple[str, str, int, int]]:
        """Yield source, tag, first and last number of each interval, in the order of the text."""
        for (source, tag), intervals in sorted(self._sources.items()):
            for first, last in intervals:
                yield source, tag, first, last

    def __str__(self) -> str:
        """Return the text that the server writes, without its line breaks."""
        written: dict[str, str] = {}
        for source, tag in sorted(self._sources):
            intervals = self._sources[source, tag]
            numbers = "".join(f":{one}" if one == last else f":{one}-{last}" for one, last in intervals)
            written[source] = written.get(source, source) + (f":{tag}" if tag else "") + numbers
        return ",".join(written.values())

    __repr__ = __str__


def _numbers(part: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield source, tag, first and last number of each interval of a source's text.

    Raises:
        ValueError: it is none.
    """
    uuid, *rest = part.split(":")
    try:
        source = str(UUID(uuid))
    except ValueError:
        raise ValueError(f"{part!r} is no set of GTIDs, such as 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5") from None
    tag = ""
    for one in rest:
        found = _NUMBERS.fullmatch(one)
        if found is not None:
            yield source, tag, int(found[1]), int(found[2] or found[1])
        elif _TAG.fullmatch(one):
            tag = one
        else:
            raise ValueError(f"{one!r} is neither a tag nor numbers of transactions")
    if not rest:
        raise ValueError(f"{part!r} has no numbers of transactions")


def _merged(intervals: Intervals) -> Intervals:
    """Return intervals in order, those that touch as one."""
    found: Intervals = []
    for first, last in sorted(intervals):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _without(mine: Intervals, others: Intervals) -> Intervals:
    """Return what of ordered intervals lies in none of others."""
    found: Intervals = []
    at = 0
    for first, last in mine:
        begin = first
        while at < len(others) and others[at][1] < begin:
            at += 1
        seen = at
        while begin <= last and seen < len(others) and others[seen][0] <= last:
            if others[seen][0] > begin:
                found.append((begin, others[seen][0] - 1))
            begin = others[seen][1] + 1
            seen += 1
        if begin <= last:
            found.append((begin, last))
    return found
