"""The statement that ends a session or prepared transaction does so."""

from __future__ import annotations

import contextlib

import pytest

from airflow_legacy_events.core.ports import Blocker
from tests.support.engines import of
from tests.support.legacy import reused_database

PREPARING = {
    "postgresql": ("BEGIN", "INSERT INTO t VALUES (1)", "PREPARE TRANSACTION 'it''s'"),
    "mysql": ("XA START 'its'", "INSERT INTO t VALUES (1)", "XA END 'its'", "XA PREPARE 'its'"),
}
GID = {"postgresql": "it's", "mysql": "'its'"}
PREPARED = {"postgresql": "SELECT gid FROM pg_prepared_xacts WHERE gid LIKE 'it%'", "mysql": "XA RECOVER"}
SELF = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}


@pytest.fixture(params=of("postgresql", "mysql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id int PRIMARY KEY)")
        yield found


@pytest.fixture
def ending(legacy):
    database = legacy.database()
    yield database.ending
    database.close()


def test_a_session_is_ended_by_its_number(legacy, ending):
    with contextlib.closing(legacy.connect()) as writer:
        number = int(writer.execute(SELF[legacy.dialect]).fetchall()[0][0])
        legacy.execute(ending(Blocker(number, "app")))
        with pytest.raises(Exception, match=r"(?i)terminat|lost|gone|closed|kill"):
            writer.execute("SELECT 1").fetchall()


def test_a_prepared_transaction_is_rolled_back_by_its_name(legacy, ending):
    with legacy.ended() as writer:
        for statement in PREPARING[legacy.dialect]:
            writer.execute(statement)
    gid = GID[legacy.dialect]
    legacy.execute(ending(Blocker(gid=gid)))
    assert not [row for row in legacy.execute(PREPARED[legacy.dialect]) if gid.strip("'") in str(row)]
    assert legacy.execute("SELECT * FROM t") == []


def test_who_can_not_be_seen_can_not_be_ended(ending):
    assert ending(Blocker(user="app")) is None


def test_one_of_several_prepared_transactions_can_not_be_named(request):
    with reused_database(request, of("mysql")[0]) as legacy, contextlib.closing(legacy.database()) as database:
        assert database.ending(Blocker(gid="'a' or 'b'")) is None
