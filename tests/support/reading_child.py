"""The child: reads a table by its id, and prints by how many bytes the peak of its memory grew, and what ended it.

`python -m tests.support.reading_child URL TABLE [ROWS]`
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import sqlalchemy as sa

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.databases.postgres import PostgresDatabase
from airflow_legacy_events.sources.query import QuerySource


def peak() -> int:
    """Return the peak of this process's memory in bytes."""
    [found] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found) * 1024


def main(url: str, table: str, page: int) -> None:
    """Read, and print."""
    database = PostgresDatabase(sa.make_url(url), conn_id="crm", statement_timeout_seconds=60)
    options = {"table": table, "watermark_columns": ("id",), "key_columns": ("id",), "limits": Limits(batch_rows=page)}
    source = QuerySource(database=database, stream="s", source="crm", **options)
    batches = source.open(None).batches
    before, rows, told = peak(), 0, None
    try:
        for batch in batches:
            rows += len(batch.rows)
    except LegacyEventsError as error:
        told = str(error)
    database.close()
    print(json.dumps({"grown": peak() - before, "rows": rows, "told": told}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1_000)
