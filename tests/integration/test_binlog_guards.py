"""Guards of the change log of MariaDB and MySQL: other servers, and logs that were reset, purged or left behind."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import WatermarkError
from tests.services.base import wait_until
from tests.services.mariadb import MariaDB
from tests.support.binlog_servers import MADE
from tests.support.binlogs import BINLOGGED, SERVERS, binlogged_on
from tests.support.profile import LONG
from tests.support.replicas import catch_up, primary_and_replica, stop_following

TABLE = "CREATE TABLE orders (id int PRIMARY KEY, note varchar(9))"
PREPARED = ("XA START 'left'", "INSERT INTO orders VALUES (7, 'xa')", "XA END 'left'", "XA PREPARE 'left'")
RESET = {True: "RESET MASTER", False: "RESET BINARY LOGS AND GTIDS"}
OWN = BINLOGGED if LONG else BINLOGGED[:1]
"""Engines of servers that a test starts for itself."""


def lead(logged, server):
    """Let the connection of a stream lead to another server."""
    logged.url = {"port": sa.make_url(server.url()).port}


def changes(found):
    return [(row[0], row[1]) for row in found]


def refused(logged, *parts):
    before = logged.position
    with pytest.raises(WatermarkError) as error:
        logged.run()
    assert logged.position == before
    assert [one for one in (*parts, "watermark forget") if one not in str(error.value)] == []


@pytest.fixture(scope="module", params=OWN)
def server(request):
    # Another ID than the shared servers: GTIDs of MariaDB hold it, and may be equal otherwise.
    found = MADE[SERVERS[request.param]](shared=False, settings={"server-id": "7"})
    yield found, request.param
    found.stop()


@pytest.fixture
def logged(server):
    """A stream that has delivered a row, on a server of its own."""
    with binlogged_on(*server, TABLE) as found:
        found.begin()
        found.execute("INSERT INTO orders VALUES (1, 'one')")
        assert changes(found.run()) == [("c", "1")]
        yield found


def purged(server):
    """Remove all files of a log but a new one, whose name is returned; the server may need older ones for a moment."""
    server.execute("FLUSH BINARY LOGS")
    *_, (newest, *_) = server.execute("SHOW BINARY LOGS")

    def alone():
        server.execute(f"PURGE BINARY LOGS TO '{newest}'")
        return len(server.execute("SHOW BINARY LOGS")) == 1

    wait_until(alone, "the older files are gone")
    return newest


def reset(server):
    made, engine = server
    modern = engine == "mysql-9.7"
    made.execute(RESET[not modern])


def test_what_the_server_has_removed_of_its_log_is_missed(logged, server):
    place = logged.position.place
    logged.execute("INSERT INTO orders VALUES (2, 'two')")
    refused(logged, "has removed", place, purged(server[0]))


def test_a_log_that_was_reset_is_not_read_on(logged, server):
    logged.execute("FLUSH BINARY LOGS", "INSERT INTO orders VALUES (2, 'two')")
    logged.run()
    reset(server)
    refused(logged, "was reset", logged.position.place)


def test_a_log_that_was_reset_and_has_grown_as_long_is_not_read_on(logged, server):
    reset(server)
    logged.stored = logged.position = None
    logged.execute("INSERT INTO orders VALUES (2, 'two')")
    logged.begin()
    logged.execute("INSERT INTO orders VALUES (3, 'three')")
    logged.run()
    with_time(server, lambda: reset(server))
    for number in range(10, 40):
        logged.execute(f"INSERT INTO orders VALUES ({number}, 'again')")
    refused(logged, "another file")


def with_time(server, do):
    """Do something in another second than before: files say when they were made in seconds."""
    server[0].execute("SELECT SLEEP(1.01 - (UNIX_TIMESTAMP(NOW(6)) % 1))")
    do()


def test_a_foreign_server_is_recognized(logged, server, request):
    _, engine = server
    other = request.getfixturevalue(SERVERS[engine])
    database = logged.legacy.url.database
    other.execute(f"CREATE DATABASE {database}")
    try:
        other.execute(TABLE, database)
        for number in range(20):
            other.execute(f"INSERT INTO orders VALUES ({number}, 'theirs')", database)
        lead(logged, other)
        refused(logged, "another server")
    finally:
        other.execute(f"DROP DATABASE {database}")
    logged.url = {}
    logged.execute("INSERT INTO orders VALUES (2, 'two')")
    assert changes(logged.run()) == [("c", "2")]


if LONG:

    @pytest.fixture(scope="module", params=BINLOGGED[:2])
    def pair(request):
        """A primary, its replica, and the name of their engine."""
        with primary_and_replica(MADE[SERVERS[request.param]]) as (primary, replica):
            yield primary, replica, request.param

    @pytest.fixture
    def moving(pair):
        """A stream that has begun on a primary, which has a replica."""
        primary, replica, engine = pair
        with binlogged_on(primary, engine, TABLE) as logged:
            logged.begin()
            yield logged, primary, replica

    def test_another_server_of_the_history_continues_where_the_first_one_ended(moving):
        logged, primary, replica = moving
        logged.execute("INSERT INTO orders VALUES (1, 'one')")
        assert changes(logged.run()) == [("c", "1")]
        logged.execute(
            "INSERT INTO orders VALUES (2, 'two')", "FLUSH BINARY LOGS", "INSERT INTO orders VALUES (3, '3')"
        )
        catch_up(replica, primary)
        lead(logged, replica)
        assert changes(logged.run()) == [("c", "2"), ("c", "3")]
        assert logged.run() == []
        logged.execute("INSERT INTO orders VALUES (4, 'four')")
        catch_up(replica, primary)
        assert changes(logged.run()) == [("c", "4")]
        lead(logged, primary)
        assert logged.run() == []

    def test_a_prepared_transaction_is_delivered_by_the_server_that_took_over(moving):
        logged, primary, replica = moving
        with logged.legacy.connect() as session:
            for statement in PREPARED:
                session.execute(statement)
        logged.execute(
            "INSERT INTO orders VALUES (1, 'one')", "FLUSH BINARY LOGS", "INSERT INTO orders VALUES (2, '2')"
        )
        assert changes(logged.run()) == [("c", "1"), ("c", "2")]
        logged.execute("XA COMMIT 'left'")
        catch_up(replica, primary)
        lead(logged, replica)
        assert changes(logged.run()) == [("c", "7")]

    def test_a_transaction_that_was_sent_in_part_is_continued_by_the_server_that_took_over(moving):
        logged, primary, replica = moving
        logged.transaction(*(f"INSERT INTO orders VALUES ({number}, 'x')" for number in range(5)))
        with logged.log() as log:
            facts = {**log.open()}
            chunk = next(log.change_log.read(logged.position, log.change_log.end(), 2))
            logged.stored, logged.position = facts | chunk.facts, chunk.end
        assert chunk.end.changes == 2
        logged.execute("INSERT INTO orders VALUES (5, 'y')")
        catch_up(replica, primary)
        lead(logged, replica)
        assert changes(logged.run()) == [("c", "2"), ("c", "3"), ("c", "4"), ("c", "5")]

    def test_a_server_that_is_behind_is_refused_until_it_has_caught_up(moving):
        logged, primary, replica = moving
        catch_up(replica, primary)
        stop_following(replica)
        logged.execute("INSERT INTO orders VALUES (1, 'one')")
        assert changes(logged.run()) == [("c", "1")]
        lead(logged, replica)
        refused(logged, "it lacks")
        replica.execute("START SLAVE" if isinstance(replica, MariaDB) else "START REPLICA")
        catch_up(replica, primary)
        assert logged.run() == []

    def test_a_server_that_has_removed_what_is_needed_is_refused(moving):
        logged, primary, replica = moving
        logged.execute("INSERT INTO orders VALUES (1, 'one')")
        catch_up(replica, primary)
        purged(replica)
        lead(logged, replica)
        refused(logged, "has removed")
