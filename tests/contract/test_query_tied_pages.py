"""Pages among rows that share the leading columns of their position, and what follows them: all rows, each once."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.model import Span, Window
from airflow_legacy_events.sources import rows
from tests.support.engines import EACH
from tests.support.legacy import reused_database

MANY = [(one, two, three) for one in (1, 2, 3) for two in (10, 20) for three in range(1, {1: 8, 2: 2, 3: 6}[one])]


@pytest.fixture(params=EACH)
def legacy(request, monkeypatch):
    monkeypatch.setattr(rows, "_TELLING_ROWS", 2)
    with reused_database(request, request.param) as found:
        found.execute(
            "CREATE TABLE t (one integer NOT NULL, two integer NOT NULL, three integer NOT NULL, gone integer,"
            " PRIMARY KEY (one, two, three))"
        )
        for row in MANY:
            found.execute(f"INSERT INTO t VALUES ({', '.join(map(str, row))}, NULL)")
        yield found


WAYS = {
    "incremental": {"watermark_columns": ("one", "two")},
    "bulk": {"watermark_columns": ()},
    "a window": {"watermark_columns": ("one", "two"), "window": Window(None, "1", "4")},
    "a rerun": {"watermark_columns": ("one", "two"), "window": Span(None, ("3", "20", "5"), False)},
    "without a watermark": {"watermark_columns": ("gone",), "null_watermark": "always"},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("batch_rows", [2, 3, 5])
def test_no_row_is_passed_over_or_read_twice(legacy, way, batch_rows):
    options = dict(WAYS[way])
    window = options.pop("window", None)
    with legacy.source(batch_rows=batch_rows, **options) as source:
        batches = list(source.open(None, window).batches)
    found = [tuple(map(int, row[:3])) for batch in batches for row in batch.rows]
    assert found == MANY
    assert batches[-1].final


def test_the_database_is_asked_for_ties_only_where_that_helps(legacy, monkeypatch):
    with legacy.source(watermark_columns=("one", "two"), batch_rows=3) as source:
        asked = []
        plain = source.database.equal
        monkeypatch.setattr(source.database, "equal", lambda *pair: asked.append(pair) or plain(*pair))
        list(source.open(None).batches)
    assert bool(asked) is not source.database.enters_by_position
