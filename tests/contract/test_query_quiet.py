"""Statements of polls: a quiet one costs what it costs where no writers can be seen."""

from __future__ import annotations

import tempfile

import pytest

from airflow_legacy_events.core.model import Watermark
from tests.support.engines import of
from tests.support.legacy import reused_database


@pytest.fixture(params=of("postgresql", "mysql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL)")
        found.execute("INSERT INTO t VALUES (1, '2026-01-01 10:00:00'), (2, '2026-01-02 10:00:00')")
        yield found


def statements(source, act):
    """Messages or statements that the session of a source sends while `act` runs."""
    session = source.database._session
    if hasattr(session, "rows"):
        question = "SHOW SESSION STATUS LIKE 'Questions'"
        [(_, before)] = session.rows(question)
        act()
        [(_, after)] = session.rows(question)
        return int(after) - int(before) - 1
    with tempfile.TemporaryFile() as file:
        session.connection.pgconn.trace(file.fileno())
        act()
        session.connection.pgconn.untrace()
        file.seek(0)
        return sum(b"\tF\t" in line and (b"\tQuery\t" in line or b"\tExecute\t" in line) for line in file)


def counted(legacy, column):
    """Statements of a quiet look, and of a quiet run whose session has looked before."""
    with legacy.source(watermark_columns=(column,)) as source:
        batches = list(source.open(None).batches)
        at = batches[-1].after
        at = Watermark(at.values, None, {})
        assert source.pending(at).rows == 0
        look = statements(source, lambda: source.pending(at))
        return look, statements(source, lambda: list(source.open(at).batches))


@pytest.mark.parametrize("column", ["id", "at"])
def test_a_quiet_poll_costs_no_statement_more(legacy, column, monkeypatch):
    with_writers = counted(legacy, column)
    assert min(with_writers) > 0
    monkeypatch.setattr(legacy.engine.made, "writers", lambda *_: None)
    assert with_writers == counted(legacy, column)
