"""Images of rows that may lack columns which are part of no row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from operator import itemgetter

from airflow_legacy_events.databases.mysql.changelog.model import LoggedColumn, Row, RowReader, RowsEvent, TableMap

ReaderOf = Callable[[TableMap, Sequence[LoggedColumn]], RowReader]
"""Makes the reader of a table map's images; see `rows`."""


def images_of(map_: TableMap, columns: Sequence[LoggedColumn], reader_of: ReaderOf) -> tuple[RowReader, int]:
    """Return the reader of a table map's images, and the bits of the columns that they must hold; see `ReadTable`."""
    reader = reader_of(map_, columns)
    needed = sum(1 << at for at, one in enumerate(columns) if one.column is not None)
    if needed == (1 << len(columns)) - 1:
        return reader, needed
    return _Lacking(map_, columns, reader, reader_of), needed


class _Lacking:
    """Reads images that may lack columns.

    Args:
        map_: the table map.
        columns: all columns of it.
        reader: of images that have all of them.
        reader_of: makes the readers of others.
    """

    def __init__(self, map_: TableMap, columns: Sequence[LoggedColumn], reader: RowReader, reader_of: ReaderOf) -> None:
        self._map, self._columns, self._whole, self._reader_of = map_, columns, reader, reader_of
        self._others: dict[bytes, RowReader] = {}

    def images(self, event: RowsEvent, old: tuple[int, ...] | None = None) -> list[Row]:
        """See `RowReader.images`."""
        return (self._whole if event.whole else self._other(event.present)).images(event, old)

    def _other(self, present: bytes) -> RowReader:
        if present not in self._others:
            bits = int.from_bytes(present, "little")
            there = [one for at, one in enumerate(self._columns) if bits >> at & 1]
            self._others[present] = self._reader_of(self._map, there)
        return self._others[present]


class Ordered:
    """Rows of a reader in another order.

    Args:
        reader: of the rows.
        places: of their values.
    """

    def __init__(self, reader: RowReader, places: Collection[int]) -> None:
        self._reader, self._pick = reader, itemgetter(*places)

    def images(self, event: RowsEvent, old: tuple[int, ...] | None = None) -> list[Row]:  # noqa: ARG002
        """See `RowReader.images`."""
        return [*map(self._pick, self._reader.images(event))]
