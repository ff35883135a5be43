"""What a reader of the binlog yields of a scripted log."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events.core.model.log import LogChunk, LogPosition, LogRows
from airflow_legacy_events.databases.mysql.changelog.reader import BinlogReader
from tests.support.scripted_binlog import ScriptedForms, ScriptedLog, access_to

START = LogPosition("binlog.000001:4")


def reader_of(log: ScriptedLog, forms: ScriptedForms | None = None, **options: Any) -> BinlogReader:
    forms = forms or ScriptedForms(["orders"])
    most = options.pop("max_row_bytes", 2**24)
    stored = options.pop("stored", {"gtids": ""})
    access = access_to(log, max_row_bytes=most)
    return BinlogReader(access, forms, tables=list(forms.tables.values()), stored=stored, **options)


def chunks_of(log: ScriptedLog, reader: BinlogReader | None = None, rows: int = 100, **options: Any) -> list[LogChunk]:
    after = options.pop("after", START)
    return list((reader or reader_of(log, **options)).read(after, log.end, rows))


def changes_of(chunks: list[LogChunk]) -> list[tuple[str, ...]]:
    """Op, values, name of the transaction and number of each row."""
    return [
        (op, *row[:2], row[2], row[3])
        for chunk in chunks
        for part in chunk.parts
        if isinstance(part, LogRows)
        for op, row in zip(part.ops, part.rows, strict=True)
    ]
