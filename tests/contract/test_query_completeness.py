"""The least completeness that a stream of a query accepts: what reaches less fails before a row is read."""

from __future__ import annotations

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import CompletenessError
from tests.support.engines import EACH
from tests.support.legacy import legacy_database
from tests.support.streams import Deliveries


@pytest.fixture(params=EACH)
def stream(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE orders (id integer NOT NULL PRIMARY KEY, note varchar(20))")
        found.execute("INSERT INTO orders VALUES (1, 'a')")
        url = found.url.render_as_string(hide_password=False)
        yield Deliveries(url=url, broker=MemoryBroker(), topic="orders", table="orders")


@pytest.mark.parametrize("least", ["bounded", "exact"])
def test_a_stream_that_reaches_less_fails_before_it_reads(stream, least):
    stream.options, stream.completeness = {"watermark_columns": ("id",)}, least
    with pytest.raises(CompletenessError, match=f"completeness='{least}' is required .* nothing was read") as refused:
        stream.run()
    assert not refused.value.retry_helps
    assert "commits below the watermark" in str(refused.value)
    assert stream.broker.topic("orders") == []
    assert stream.store.load(stream.name) is None


@pytest.mark.parametrize("least", ["best_effort", "bounded", "exact"])
def test_a_stream_that_reaches_it_runs(stream, least):
    stream.options, stream.completeness = {"watermark_columns": ()}, least
    report = stream.run()
    assert report.rows == 1
    assert report.completeness == "exact"
