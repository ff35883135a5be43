"""A transaction that the database sacrifices to another one is tried again, from its first statement on."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from tests.services.base import wait_until
from tests.support.engines import of
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
ID, BODY = sa.column("id"), sa.column("body")
T = sa.table("t", ID, BODY)
# Who waits for a row of the test's database.
WAITING = {
    "postgresql": (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ),
    "mysql": ("SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'UPDATE%= 1'"),
    "firebird": "SELECT COUNT(*) FROM mon$statements WHERE mon$state = 1 AND mon$sql_text LIKE 'UPDATE%'",
}


@pytest.fixture
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, body varchar(40))")
        for number in range(1, 20):
            found.execute(f"INSERT INTO t VALUES ({number}, 'x')")
        if found.dialect == "postgresql":
            found.execute(f"ALTER DATABASE {found.url.database} SET deadlock_timeout = '50ms'")
        yield found


def change(number: int) -> sa.Update:
    return sa.update(T).where(sa.literal_column(str(number)) == ID).values(body=sa.literal_column("'ours'"))


def waits(legacy) -> bool:
    return wait_until(lambda: legacy.execute(WAITING[legacy.dialect])[0][0] > 0, "waiting for a row", 10)


@pytest.mark.parametrize("legacy", of("postgresql", "mysql"), indirect=True)
def test_a_deadlock_is_tried_again_with_its_functions(legacy):
    database, other, calls = legacy.database(), legacy.connect(), []
    if legacy.dialect == "postgresql":
        other.execute("SET deadlock_timeout = '10min'")  # only our session looks for deadlocks
    other.execute("BEGIN")
    other.execute("UPDATE t SET body = 'theirs' WHERE id > 1")  # so many that our transaction is the cheaper victim
    theirs = threading.Thread(
        target=lambda: (other.execute("UPDATE t SET body = 'theirs' WHERE id = 1"), finish(other))
    )

    def cross(answers):
        calls.append(len(answers))
        if len(calls) == 1:
            theirs.start()
            waits(legacy)
        return change(2)

    with database.lock("s", HOLDER) as lease:
        answers = lease.execute([change(1), cross])
    theirs.join()
    other.close()
    database.close()
    assert calls == [1, 1]
    assert [answer.number for answer in answers] == [1, 1]
    assert legacy.execute("SELECT body FROM t WHERE id <= 3 ORDER BY id") == [("ours",), ("ours",), ("theirs",)]


def finish(connection) -> None:
    connection.execute("UPDATE t SET body = 'theirs' WHERE id = 1")
    connection.execute("COMMIT")


@pytest.mark.parametrize("legacy", ["firebird"], indirect=True)
def test_a_row_that_another_transaction_changed_meanwhile_is_tried_again_on_firebird(legacy):
    database, other, calls = legacy.database(), legacy.connect(), []
    other._connection.execute_immediate("UPDATE t SET body = 'theirs' WHERE id = 2")
    theirs = threading.Thread(target=lambda: (waits(legacy), other._connection.commit()))

    def count(answers):
        calls.append(len(answers))
        if len(calls) == 1:
            theirs.start()
        return change(2)

    with database.lock("s", HOLDER) as lease:
        answers = lease.execute([change(1), count])
    theirs.join()
    other.close()
    database.close()
    assert calls == [1, 1]
    assert [answer.number for answer in answers] == [1, 1]
    assert legacy.execute("SELECT body FROM t WHERE id <= 2 ORDER BY id") == [("ours",), ("ours",)]
