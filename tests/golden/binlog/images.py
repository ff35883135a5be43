"""Rows of the golden binlogs, read by the reader of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.databases.mysql.changelog.binlog.rows_event import rows_event
from airflow_legacy_events.databases.mysql.changelog.character_sets import texts
from airflow_legacy_events.databases.mysql.changelog.described import describe, logged
from airflow_legacy_events.databases.mysql.changelog.model import Event, RowReader, TableMap, UnreadableValueError
from airflow_legacy_events.databases.mysql.changelog.rows import row_reader

CHARACTER_SETS = {
    **dict.fromkeys((33, 2048), "utf8mb3"),
    **dict.fromkeys((45, 46, 255, 2304), "utf8mb4"),
    8: "latin1",
    63: "binary",
}
WIDTHS = {"utf8mb3": 3, "utf8mb4": 4}
HOLES = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
"""Bytes that Python's cp1252 does not have."""


class Tables:
    """Tables of one file; what a map does not say is said by one with names of the same table and types.

    Args:
        named: such maps.
    """

    def __init__(self, named: dict[tuple[Any, ...], TableMap] | None = None) -> None:
        self._named, self._readers = named or {}, dict[int, RowReader | None]()

    def add(self, map_: TableMap) -> None:
        """Take note of a table map."""
        self._readers[map_.id] = reader_of(self._whole(map_))

    def rows(self, event: Event) -> Any:
        """Return the rows of an event; as hex those that are no whole images, and of a table that is not known."""
        found = rows_event(event.kind, event.body)
        reader = self._readers.get(found.table)
        if reader is None or found.partial or not found.whole:
            return event.body[found.at :].hex()
        return reader.images(found)

    def _whole(self, map_: TableMap) -> TableMap:
        named = map_ if map_.names is not None else self._named.get(shape_of(map_))
        if named is None:
            return map_
        return map_._replace(**{one: getattr(named, one) for one in ("unsigned", "collations", "names", "labels")})


def shape_of(map_: TableMap) -> tuple[Any, ...]:
    """What two maps of the same table have in common."""
    return map_.table, map_.types


def reader_of(map_: TableMap) -> RowReader | None:
    """The reader of a map with names."""
    if map_.names is None:
        return None
    columns, _ = logged(describe(map_, {}, COLLATIONS), map_)
    try:
        return row_reader(map_, columns, convert)
    except UnreadableValueError:
        return None


class GoldenCollations:
    """The collations that the tables of the golden files have, without a server."""

    def character_set(self, collation: int | None) -> str | None:
        """See `Collations`."""
        return None if collation is None else CHARACTER_SETS.get(collation)

    def width(self, character_set: str | None) -> int:
        """See `Collations`."""
        return WIDTHS.get(character_set or "binary", 1)

    def labels(self, labels: Sequence[bytes], character_set: str | None) -> tuple[str, ...]:
        """See `Collations`."""
        return tuple(texts(character_set or "binary", labels, convert, "labels"))


def convert(charset: str, values: Sequence[bytes]) -> list[str]:
    """Convert as the server does; of its character sets the golden files have latin1 alone."""
    return [cp1252(value) for value in values]


def cp1252(value: bytes) -> str:
    """Text of the server's latin1."""
    return "".join(chr(one) if one in HOLES else bytes([one]).decode("cp1252") for one in value)


COLLATIONS: Any = GoldenCollations()
