"""Seen-set: the versions of rows that were delivered in the overlap, each with the second of its time.

A row is known by its position, and a version of it by its values. The set is bounded: of the rows before those that it
remembers it only has their number and the sum of their checksums, which shows whether any of them changed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.facts import are_texts, is_text
from airflow_legacy_events.sources.place import Values
from airflow_legacy_events.sources.query.overlapping.marks import ROW_BYTES, VERSION_BYTES, Mark, Total

FACT = "seen"
MOST_VERSIONS = 10_000
"""Versions that are remembered; as text they take less than 256 kB."""

_SECOND_BYTES = 5
_SIZE = _SECOND_BYTES + ROW_BYTES + VERSION_BYTES
_GONE = bytes(VERSION_BYTES)
"""Stands for a row that is not there any more: when it comes back, that is a new version."""


@dataclass
class _Row:
    second: int
    versions: list[bytes]
    at: tuple[Any, ...] = ()


@dataclass
class SeenRows:
    """The versions that were delivered, those of each row in the order of their delivery.

    Attributes:
        after: position of the highest row that was dropped because there were too many; None if none was.
        beyond: the rows from the overlap's begin up to `after`; None if they must be sent again.
    """

    after: Values | None = None
    beyond: Total | None = None
    _earlier: dict[bytes, _Row] = field(default_factory=dict)
    _met: dict[bytes, _Row] = field(default_factory=dict)

    @classmethod
    def of(cls, fact: Mapping[str, Any]) -> SeenRows:
        """Return the set that a fact holds."""
        packed, earlier = base64.b64decode(fact.get("rows", "")), dict[bytes, _Row]()
        for place in range(0, len(packed), _SIZE):
            one = packed[place : place + _SIZE]
            second, row = int.from_bytes(one[:_SECOND_BYTES], "big"), one[_SECOND_BYTES:-VERSION_BYTES]
            earlier.setdefault(row, _Row(second, [])).versions.append(one[-VERSION_BYTES:])
        after, beyond = fact.get("after"), fact.get("beyond")
        total = None if beyond is None else Total(beyond["rows"], int(beyond["sum"], 16))
        return cls(None if after is None else tuple(after), total, earlier)

    def meet(self, mark: Mark) -> int | None:
        """Note that a row is there; return how often this version was sent before, None if it is the latest one."""
        known = self._earlier.pop(mark.row, None) or self._met.pop(mark.row, None) or _Row(mark.second, [])
        self._met[mark.row] = _Row(mark.second, known.versions, mark.at)
        if known.versions and known.versions[-1] == mark.version:
            return None
        return known.versions.count(mark.version)

    def deliver(self, mark: Mark) -> None:
        """Note that a version is delivered; the row was met."""
        self._met[mark.row].versions.append(mark.version)

    def renew(self, mark: Mark) -> None:
        """Note that the latest version of a row has another checksum now, since other columns are read."""
        self._met[mark.row].versions[-1:] = [mark.version]

    def miss(self) -> bool:
        """Note that the rows that were not met are gone; return whether there are any."""
        gone = [one for one in self._earlier.values() if one.versions[-1] != _GONE]
        for one in gone:
            one.versions.append(_GONE)
        return bool(gone)

    def forget(self) -> None:
        """Forget everything: nothing that was noted can be compared any more."""
        self.after = self.beyond = None
        self._earlier.clear()
        self._met.clear()

    def trim(self, low: int, counted_from: int, total: Total) -> tuple[Any, ...] | None:
        """Drop the rows below the second `low`, and the lowest of those that are too many.

        Returns the position of the highest of these, as read, which is to become `after`; None if there are none.

        Args:
            low: begin of the overlap.
            counted_from: second from which rows that are too many are added to `total`.
            total: see `beyond`.
        """
        for rows in (self._earlier, self._met):
            for row in [row for row, one in rows.items() if one.second < low]:
                del rows[row]
        count = sum(len(one.versions) for rows in (self._earlier, self._met) for one in rows.values())
        for row in [row for row, one in self._earlier.items() if one.versions[-1] == _GONE]:
            if count <= MOST_VERSIONS:
                return None
            count -= len(self._earlier.pop(row).versions)
        after = None
        for row, one in list(self._met.items()):
            if count <= MOST_VERSIONS or not one.versions:
                break
            del self._met[row]
            count -= len(one.versions)
            after = one.at
            if one.second >= counted_from:
                total.add(row, one.versions[-1])
        return after

    def fact(self, beyond: Total | None) -> dict[str, Any]:
        """Return it as plain JSON.

        Args:
            beyond: the rows up to `after`, if all of them are known.
        """
        packed = b"".join(
            one.second.to_bytes(_SECOND_BYTES, "big") + row + version
            for rows in (self._met, self._earlier)
            for row, one in rows.items()
            for version in one.versions
        )
        found: dict[str, Any] = {"rows": base64.b64encode(packed).decode()}
        if self.after is not None:
            found["after"] = list(self.after)
            if beyond is not None:
                found["beyond"] = {"rows": beyond.rows, "sum": f"{beyond.sum:x}"}
        return found


def is_seen(found: Any) -> bool:
    """Whether a fact has the form of a seen-set."""
    if not isinstance(found, Mapping) or not is_text(found.get("rows")):
        return False
    after, begun = found.get("after"), found.get("from")
    whole = (after is None or are_texts(after)) and (begun is None or is_text(begun))
    return whole and _is_packed(found["rows"]) and _is_total(found.get("beyond"))


def _is_packed(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) % _SIZE == 0
    except (ValueError, binascii.Error):
        return False


def _is_total(found: Any) -> bool:
    if found is None:
        return True
    if not isinstance(found, Mapping) or type(found.get("rows")) is not int or not is_text(found.get("sum")):
        return False
    try:
        return int(found["sum"], 16) >= 0
    except ValueError:
        return False
