"""Rows that the position can't tell apart: none is passed over between two pages, on every database."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Window
from tests.support.engines import EACH
from tests.support.legacy import reused_database


@pytest.fixture(params=EACH)
def visits(request):
    """Three visits of one customer at one time, and one of another; nothing says which is which."""
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (customer integer NOT NULL, at integer NOT NULL, room integer NOT NULL)")
        found.execute("CREATE UNIQUE INDEX t_rooms ON t (at, customer, room)")
        found.execute("INSERT INTO t VALUES (7, 10, 1), (7, 10, 2), (7, 10, 3), (8, 10, 1)")
        yield found


def rooms(legacy, window=None, **options):
    with legacy.source(**options) as source:
        return [int(row[2]) for batch in source.open(None, window).batches for row in batch.rows]


WAYS = {
    "incremental": {"watermark_columns": ("at",)},
    "bulk": {"watermark_columns": ()},
    "a query": {"table": None, "sql": "SELECT * FROM t", "watermark_columns": ("at",)},
    "a window": {"watermark_columns": ("at",), "window": Window(None, "10", "11")},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("batch_rows", [1, 2])
def test_a_page_that_ends_among_rows_of_one_position_fails_instead_of_passing_the_rest_over(visits, way, batch_rows):
    with pytest.raises(ConfigurationError, match=r"several rows of .* are equal in .*'customer'"):
        rooms(visits, key_columns=("customer",), batch_rows=batch_rows, **WAYS[way])


@pytest.mark.parametrize("way", WAYS)
def test_rows_of_one_position_in_one_page_are_all_read(visits, way):
    assert sorted(rooms(visits, key_columns=("customer",), batch_rows=3, **WAYS[way])) == [1, 1, 2, 3]


@pytest.mark.parametrize("batch_rows", [1, 2, 3])
def test_a_key_that_is_unique_only_together_with_the_watermark_passes_none_over(visits, batch_rows):
    found = rooms(visits, watermark_columns=("at",), key_columns=("customer", "room"), batch_rows=batch_rows)
    assert found == [1, 2, 3, 1]
