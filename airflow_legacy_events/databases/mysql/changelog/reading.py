"""Makes the readers of row images for one session."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from airflow_legacy_events.databases.mysql.changelog.character_sets import Conversion
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, LoggedColumn, RowReader, TableMap
from airflow_legacy_events.databases.mysql.changelog.rows import row_reader


def readers(access: BinlogAccess) -> Callable[[TableMap, Sequence[LoggedColumn]], RowReader]:
    """Return what makes the reader of a table map's images; texts that Python can't decode are converted by the server.

    Args:
        access: ways into the server.
    """
    convert = Conversion(access.ask)
    return lambda map_, columns: row_reader(map_, columns, convert)
