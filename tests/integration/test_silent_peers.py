"""A peer that stays connected and says nothing: every wait of a session ends, with an error of ours."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases import watchdog
from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.silence import proxy

ONE = sa.select(sa.literal_column("1"))
WAITS = {
    "reading": lambda database: database.read(ONE),
    "asking for the time": lambda database: database.now(),
    "looking for the table": lambda database: database.reflect("t", None),
}


@pytest.fixture(params=of("postgresql", "mysql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY)")
        yield found


@pytest.fixture
def silent(legacy):
    with proxy(str(legacy.url.host), int(legacy.url.port or 0)) as found:
        yield found


@pytest.mark.parametrize("doing", WAITS)
def test_a_statement_that_is_never_answered_ends(legacy, silent, doing, monkeypatch):
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.1)
    database = legacy.database(timeout=0.2, host="127.0.0.1", port=silent.port)
    database.read(ONE)
    silent.silent.set()
    with pytest.raises(SourceError, match=rf"connection 'crm' answered nothing for 0\.3 s while {doing}.* was cut"):
        WAITS[doing](database)
    database.close()
