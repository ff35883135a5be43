"""Changes of committed transactions: what goes out, how it is numbered, and where positions lie."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_legacy_events.core.model.log import LogChunk, LogPosition, LogRows, TableName
from airflow_legacy_events.databases.mysql.changelog.reader import BinlogReader
from tests.support.scripted_binlog import MARIADB, MYSQL, ScriptedForms, ScriptedLog, access_to, gtid_name

FAMILIES = pytest.mark.parametrize("family", [MARIADB, MYSQL])
ORDERS = TableName("shop", "orders")


def reader_of(log: ScriptedLog, forms: ScriptedForms | None = None, **options: Any) -> BinlogReader:
    forms = forms or ScriptedForms(["orders"])
    most = options.pop("max_row_bytes", 2**24)
    stored = options.pop("stored", {"gtids": ""})
    access = access_to(log, max_row_bytes=most)
    return BinlogReader(access, forms, tables=list(forms.tables.values()), stored=stored, **options)


def chunks_of(log: ScriptedLog, reader: BinlogReader | None = None, rows: int = 100, **options: Any) -> list[LogChunk]:
    after = options.pop("after", LogPosition("binlog.000001:4"))
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


@FAMILIES
def test_rows_of_committed_transactions_come_in_order(family: str) -> None:
    log = ScriptedLog(family)
    log.begin()
    log.rows("orders", "c", [(1, 10), (2, 20)])
    log.rows("other", "c", [(9, 9)])
    log.rows("orders", "u", [(1, 10), (1, 11)])
    log.commit()
    log.begin()
    log.rows("orders", "d", [(2, 20)])
    log.commit()
    chunks = chunks_of(log)
    one, two = gtid_name(family, 1), gtid_name(family, 2)
    assert changes_of(chunks) == [
        ("c", "1", "10", one, 1),
        ("c", "2", "20", one, 2),
        ("u", "1", "11", one, 3),
        ("d", "2", "20", two, 1),
    ]
    assert chunks[-1].final
    assert chunks[-1].end == LogPosition(log.end)
    assert chunks[-1].committed == 2
    assert chunks[-1].facts["gtids"] in {two, f"{one}-2"}
    noted = chunks[-1].notes.transactions[one]
    assert (noted.gtid, noted.changes, noted.number, [each.number for each in noted.events]) == (one, 3, 101, [1, 3])
