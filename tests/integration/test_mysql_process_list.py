"""A session whose statement the process list can't show: streams, locks and looks at writers go on beside it.

On a server of its own: other tests ask the process list, too.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from tests.services.base import wait_until
from tests.services.mysql9 import MySQL9
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r", "map_index": -1, "try": 1, "host": "h", "pid": 1}


@contextmanager
def busy(legacy, statement):
    """A session that runs a statement until the context ends."""
    session = legacy.connect()
    [(number,)] = session.execute("SELECT CONNECTION_ID()").fetchall()
    thread = threading.Thread(target=session.execute, args=(statement, ("\U0001f600",)))
    legacy.execute("SELECT GET_LOCK('busy', 10)")
    thread.start()
    seen = "SELECT 1 FROM performance_schema.processlist WHERE id = %s AND state = 'User lock'"
    wait_until(lambda: legacy.execute(seen, number), "the session being busy")
    try:
        yield
    finally:
        legacy.execute("SELECT RELEASE_LOCK('busy')")
        thread.join(20)
        session.close()


@pytest.fixture(scope="module")
def alone():
    server = MySQL9(shared=False)
    yield server
    server.stop()


@pytest.fixture
def legacy(request, alone):
    with legacy_database(request, "mysql-9.7", "alone") as found:
        found.execute("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, note TEXT CHARACTER SET utf8mb4)")
        found.execute("INSERT INTO t () VALUES ()")
        yield found


@pytest.mark.usefixtures("no_clock_margin")
@pytest.mark.parametrize(
    "statement",
    ["SELECT GET_LOCK('busy', 20), %s", "INSERT INTO t (note) SELECT %s FROM (SELECT GET_LOCK('busy', 20)) AS gate"],
)
def test_an_emoji_in_a_statement_of_somebody_else(legacy, statement):
    at, rows = None, 0
    with legacy.source(watermark_columns=("id",)) as source:
        with busy(legacy, statement):
            for batch in source.open(None).batches:
                at, rows = batch.after, rows + batch.count
            database = legacy.database()
            with database.lock("s", HOLDER):
                pass
            database.close()
        assert rows == (0 if statement.startswith("INSERT") else 1)
        rows += sum(one.count for one in source.open(at).batches)
    assert [(rows,)] == legacy.execute("SELECT count(*) FROM t")
