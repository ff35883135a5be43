"""Limits of PostgreSQL on sessions, transactions and waits: they end nothing that is held on purpose."""

from __future__ import annotations

import threading

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.databases.postgres import limits
from tests.support.engines import of
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r", "map_index": -1, "try": 1, "host": "h", "pid": 1}
KNOWN = (*(name for name, _ in limits._SINCE), "statement_timeout")  # what the test below compares with the server's
MILLISECONDS = 150
LONGER = 0.2


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY)")
        found.execute("INSERT INTO t SELECT generate_series(1, 3)")
        yield found


@pytest.fixture
def other(legacy):
    """A session of the application that no limit ends, opened before those are set."""
    with legacy.connect() as found:
        yield found


@pytest.fixture
def short(legacy):
    """Each limit that the server has, short for every new session of the database."""
    for name in known(legacy):
        legacy.execute(f"ALTER DATABASE {legacy.url.database} SET {name} = '{MILLISECONDS}ms'")


def known(legacy):
    return [name for (name,) in legacy.execute("SELECT name FROM pg_settings") if name in KNOWN]


def outlast(legacy):
    """Let more time go by than any limit gives, by the server's own clock."""
    legacy.execute(f"SELECT pg_sleep({LONGER})")


def ids(database, sleep=0.0):
    query = sa.select(sa.literal_column("id"), sa.literal_column(f"pg_sleep({sleep})")).select_from(sa.text("t"))
    return [int(row[0]) for row in database.read(query.order_by(sa.text("id")))]


def test_every_limit_of_the_server_on_what_is_held_is_known(legacy):
    found = legacy.execute(
        "SELECT name FROM pg_settings WHERE unit = 'ms'"
        " AND name ~ '(statement|transaction|session|lock)[a-z_]*_timeout$'"
    )
    others = {"deadlock_timeout", "idle_replication_slot_timeout"}
    assert {name for (name,) in found} - others == set(known(legacy))


def test_a_snapshot_outlasts_them(legacy, short):
    database = legacy.database()
    with database.snapshot():
        assert ids(database) == [1, 2, 3]
        outlast(legacy)
        legacy.execute("DELETE FROM t WHERE id = 2")
        assert ids(database, sleep=LONGER / 3) == [1, 2, 3]
    outlast(legacy)
    assert ids(database) == [1, 3]
    database.close()


def test_a_read_waits_for_a_lock_longer_than_they_let_it(legacy, other, short):
    database = legacy.database()
    ids(database)
    other.execute("BEGIN; LOCK TABLE t")
    found = []
    reading = threading.Thread(target=lambda: found.append(ids(database)))
    reading.start()
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while not legacy.execute(waiting):
        pass
    outlast(legacy)
    other.execute("COMMIT")
    reading.join()
    assert found == [[1, 2, 3]]
    database.close()


def test_a_lock_outlasts_them_and_so_does_what_is_written_under_it(legacy, short):
    database = legacy.database()
    slow = sa.text(f"UPDATE t SET id = id + 10 WHERE pg_sleep({LONGER / 3}) IS NOT NULL")
    with database.lock("s", HOLDER) as lease:
        outlast(legacy)
        lease.check()

        def later(_):
            outlast(legacy)  # the transaction is idle meanwhile
            return slow

        assert [answer.number for answer in lease.execute([slow, later])] == [3, 3]
        outlast(legacy)
        lease.check()
    assert ids(database) == [21, 22, 23]
    assert database.refusal(sa.delete(sa.table("t")).where(sa.text(f"pg_sleep({LONGER / 3}) IS NULL"))) is None
    database.close()


def test_a_session_that_listens_outlasts_them(legacy, short):
    database = legacy.database()
    with database.listen("news") as listener:
        outlast(legacy)
        legacy.execute("NOTIFY news")
        assert listener.wait()
    database.close()


def test_a_role_s_limits_count_no_more_than_a_database_s(legacy):
    role = f"{legacy.url.database}_hasty"
    legacy.execute(f"CREATE ROLE {role} LOGIN SUPERUSER")
    for name in known(legacy):
        legacy.execute(f"ALTER ROLE {role} SET {name} = '{MILLISECONDS}ms'")
    database = legacy.database(username=role)
    with database.snapshot():
        outlast(legacy)
        assert ids(database) == [1, 2, 3]
    database.close()
    with pytest.raises(psycopg.Error), legacy.connect(username=role) as hasty:  # the limits are real
        hasty.execute(f"SELECT pg_sleep({2 * LONGER})")
    legacy.execute(f"DROP ROLE {role}")
