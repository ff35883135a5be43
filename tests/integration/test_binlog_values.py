"""Every type of a running server: the log's values are what the query operators read."""

from __future__ import annotations

import os
import random

import pytest

from tests.services.mysql_family import connect, run
from tests.support.binlog_rows import differences, logged_table
from tests.support.binlogs import BINLOGGED, SERVERS
from tests.support.databases import fresh_database
from tests.support.mysql_catalog import SESSION, known
from tests.support.profile import LONG

ROWS = int(os.environ.get("LEGACY_EVENTS_TEST_ROWS", "10000" if LONG else "16"))
SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", str(random.randrange(2**32))))
COLUMNS = 40
AT_ONCE = 50


@pytest.fixture(params=BINLOGGED)
def database(request):
    with fresh_database(request.getfixturevalue(SERVERS[request.param])) as found:
        yield found


@pytest.fixture
def legacy(database):
    connection = connect(database.url)
    run(connection, SESSION)
    yield connection
    connection.close()


def fill(legacy, types, r):
    one_row = f"(%s, {', '.join(one.mark for one in types)})"
    values = list(zip(range(ROWS), *(one.values(r, ROWS) for one in types), strict=True))
    for at in range(0, ROWS, AT_ONCE):
        rows = values[at : at + AT_ONCE]
        statement = f"INSERT INTO t VALUES {', '.join([one_row] * len(rows))}"
        run(legacy, statement, *(value for row in rows for value in row))


@pytest.mark.timeout(0 if LONG or "LEGACY_EVENTS_TEST_ROWS" in os.environ else 300)
def test_every_type_in_the_log_is_read_as_the_query_operators_read_it(legacy, database):
    print(f"seed {SEED}: repeat with LEGACY_EVENTS_TEST_SEED={SEED}")
    r = random.Random(SEED)
    types = known(legacy)
    r.shuffle(types)
    for start in range(0, len(types), COLUMNS):
        some = types[start : start + COLUMNS]
        columns = ", ".join(f"c{at} {one.sql}" for at, one in enumerate(some))
        run(legacy, "DROP TABLE IF EXISTS t")
        legacy.query(f"CREATE TABLE t (id int PRIMARY KEY, {columns}) ROW_FORMAT = DYNAMIC".encode())
        with logged_table(database.url) as table:
            fill(legacy, some, r)
            wanted, names = table.read(), ["id", *(one.sql for one in some)]
            for metadata in (True, False):
                assert not differences(table.logged(metadata=metadata), wanted, names), f"seed {SEED}"
