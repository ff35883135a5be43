"""What a query source records with every watermark, as plain JSON."""

from __future__ import annotations

import hashlib
from typing import Any

from airflow_legacy_events.core import sql_text
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.sources.selection import Selection


def source_facts(database: Database, source: str, query: str, selection: Selection) -> dict[str, Any]:
    """Return the facts by which a later run knows that the watermark is its own.

    `server` which server and database · `source` the connection's name · `columns` name and type of the position
    columns · `watermark_columns`, `key_columns` · `query` a fingerprint of what was asked, which blanks and comments
    do not change · `shape` name, type and nullability of every column that is read. A first run that found nothing at
    or above the value it began with adds `included`: the values themselves are still to be delivered. A bulk load adds
    `load`, a pass over rows whose watermark is NULL `nulls`: number, done, and where it is; a run that began anew
    since its query changed adds `reset`: the old fingerprint and values. The source adds `table`, null for a query.
    """
    shape = selection.shape
    return {
        "server": database.identity(),
        "source": source,
        "columns": [[column.name, column.type] for column in selection.columns],
        "watermark_columns": list(shape.named(shape.watermark)),
        "key_columns": list(shape.named(shape.key)),
        "query": hashlib.sha256(sql_text.normalized(query).encode()).hexdigest()[:16],
        "shape": [[column.name, column.type, column.nullable] for column in shape.columns],
    }
