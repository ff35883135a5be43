"""A server of its own under another zone, which is restarted while transactions are waited for."""

from __future__ import annotations

import contextlib

import pytest

from airflow_legacy_events.core.errors import WatermarkError
from tests.services.mariadb import MariaDB
from tests.services.mysql9 import MySQL9
from tests.support.legacy import legacy_database
from tests.support.profile import LONG
from tests.support.writers import Mark, Writer, mine, until, writers_of

pytestmark = pytest.mark.whole_server
SERVERS = {"mariadb-10.11": MariaDB, "mysql-9.7": MySQL9}


@pytest.fixture(scope="module", params=SERVERS if LONG else ("mariadb-10.11",))
def tokyo(request):
    """A server whose operating system is nine hours ahead, and which runs events."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        server = SERVERS[request.param](shared=False, settings={"event-scheduler": "ON"})
        server.engine = request.param
        yield server
        server.stop()


@pytest.fixture
def legacy(request, tokyo):
    with legacy_database(request, tokyo.engine, "tokyo") as found:
        found.execute(
            "CREATE TABLE t (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, v int,"
            " changed TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)) ENGINE=InnoDB"
        )
        found.execute("INSERT INTO t (v) VALUES (0)")
        yield found


@contextlib.contextmanager
def reading(legacy, column):
    with contextlib.closing(legacy.database()) as database:
        yield writers_of(database, column)


@pytest.mark.parametrize("column", ["id", "changed"])
def test_the_zone_of_the_operating_system_does_not_matter(legacy, column):
    writer = Writer(legacy)
    writer.run("BEGIN", "INSERT INTO t (v) VALUES (7)")
    with reading(legacy, column) as writers:
        mark = Mark(legacy, writers)
        now = mark.look.now.replace(tzinfo=None)
        [(off,)] = legacy.execute("SELECT ABS(TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), %s))", now)
        assert off <= 1
        assert mark.waits_for(writer)
        before = mark.below()
        writer.run("COMMIT")
        mark.drains(writer)
        assert len(mark.seen - before) == 1
    writer.close()


def test_an_event_is_waited_for(legacy):
    legacy.execute("CREATE EVENT e ON SCHEDULE AT CURRENT_TIMESTAMP DO INSERT INTO t (v) SELECT SLEEP(2)")
    shown = "SELECT id FROM information_schema.processlist WHERE info LIKE 'INSERT INTO t%%'"
    [(number,)] = until(lambda: legacy.execute(shown))
    with reading(legacy, "changed") as writers:
        look = writers.look()
    assert number in [one.pid for one in look.open.values()]


def _uptime(legacy):
    [(_, seconds)] = legacy.execute("SHOW GLOBAL STATUS LIKE 'Uptime'")
    return int(seconds)


def test_a_restart_ends_what_is_not_prepared(legacy, tokyo):
    local, preparing, xid = Writer(legacy), Writer(legacy), f"'{legacy.url.database}'"
    local.run("BEGIN", "INSERT INTO t (v) VALUES (7)")
    preparing.run(f"XA START {xid}", "INSERT INTO t (v) VALUES (8)", f"XA END {xid}", f"XA PREPARE {xid}")
    preparing.connection.close()
    with reading(legacy, "id") as writers:
        look = writers.look()
    assert mine(look, local)
    until(lambda: _uptime(legacy) > 1)  # processes are told apart by the second
    tokyo.end()
    tokyo.restart()
    legacy.connection = legacy.connect()
    with reading(legacy, "id") as writers:
        [left] = writers.remaining(tuple(look.open), look.server).items()
        assert left[1].gid == xid
        assert [one.gid for one in writers.look().open.values()] == [xid]
        with pytest.raises(WatermarkError, match="does not know"):
            writers.remaining(tuple(look.open), {**look.server, "transaction": 2**47})
        legacy.execute(f"XA COMMIT {xid}")
        until(lambda: not writers.remaining(tuple(look.open), look.server))
    assert legacy.execute("SELECT v FROM t ORDER BY id") == [(0,), (8,)]
    local.connection.close()
