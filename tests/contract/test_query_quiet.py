"""Statements of polls: a quiet one costs what it costs where no writers can be seen."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.model import Watermark
from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.statements import statements

LAST = {"id": ("2",), "at": ("2026-01-02 10:00:00", "2")}


@pytest.fixture(params=of("postgresql", "mysql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
        found.execute("INSERT INTO t VALUES (1, '2026-01-01 10:00:00'), (2, '2026-01-02 10:00:00')")
        yield found


def counted(legacy, column):
    """Statements of a quiet look, and of a quiet run whose session has looked before."""
    with legacy.source(watermark_columns=(column,)) as source:
        at = Watermark(LAST[column], None, {})
        assert source.pending(at).rows == 0
        look = statements(source.database, lambda: source.pending(at))
        return look, statements(source.database, lambda: list(source.open(at).batches))


@pytest.mark.parametrize("column", ["id", "at"])
def test_a_quiet_poll_costs_no_statement_more(legacy, column, monkeypatch):
    with_writers = counted(legacy, column)
    assert min(with_writers) > 0
    monkeypatch.setattr(legacy.engine.made, "writers", lambda *_: None)
    assert with_writers == counted(legacy, column)
