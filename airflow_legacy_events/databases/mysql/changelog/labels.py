"""Labels of ENUM and SET columns that the catalog can't show."""

from __future__ import annotations

from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.mysql.changelog.declared import parse
from airflow_legacy_events.databases.mysql.changelog.model import TableMap
from airflow_legacy_events.databases.mysql.changelog.shape import TableShape

_BEYOND = frozenset({"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"})
"""Character sets with characters beyond U+FFFF, for each of which the catalog writes `?`."""


def doubt(table: TableName, shape: TableShape, map_: TableMap) -> str | None:
    """Return a warning if a label may be another one than the catalog says, and the log does not say it either.

    Args:
        table: of the stream.
        shape: of its rows.
        map_: their table map.
    """
    if map_.labels is not None:
        return None
    doubtful = [
        one.name
        for one in shape.columns
        if one.character_set in _BEYOND and any("?" in label for label in parse(one.declared).labels)
    ]
    if not doubtful:
        return None
    names = ", ".join(map(repr, doubtful))
    return (
        f"table {str(table)!r}: SET GLOBAL binlog_row_metadata=FULL, where the server has it, since labels of {names}"
        " are sent with '?', as the catalog shows them; it shows so every character beyond U+FFFF, too"
    )
