"""A lock on a server that follows another one, where it keeps nobody out who works on that one."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.databases.mysql import MysqlDatabase
from airflow_legacy_events.databases.postgres import PostgresDatabase
from tests.services.mariadb import MariaDB
from tests.services.postgres import Postgres, _server_user
from tests.support.profile import LONG

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}


def postgres_standby():
    """A server that replays what is written, and would follow a primary if it were told one."""
    server = Postgres()
    command = server.process.args
    server.process.terminate()
    server.process.wait(30)
    (server.folder / "data" / "standby.signal").touch()
    server.spawn(command, user=_server_user())
    server.wait_ready(server._answers)
    return server, PostgresDatabase


def read_only_mariadb():
    class Replica(MariaDB):
        settings = {**MariaDB.settings, "read-only": "1"}  # noqa: RUF012

    return Replica(), MysqlDatabase


@pytest.fixture(params=[postgres_standby, read_only_mariadb] if LONG else [postgres_standby])
def standby(request, monkeypatch):
    for kind in (Postgres, MariaDB):
        monkeypatch.delenv(kind.variable, raising=False)
    server, made = request.param()
    database = made(sa.make_url(server.url()), conn_id="crm", statement_timeout_seconds=60)
    yield database
    database.close()
    server.stop()


def test_a_lock_on_a_standby_is_warned_of_and_held(standby, caplog):
    with standby.lock("s", HOLDER) as lease:
        lease.check()
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "the lock of stream s was taken on a standby or a read-only server" in warning


def test_a_lock_on_a_primary_is_not_warned_of(postgres, mariadb, mysql9, mysql, caplog):
    for server, made in ((postgres, PostgresDatabase), *((one, MysqlDatabase) for one in (mariadb, mysql9, mysql))):
        url = sa.make_url(server.url("postgres" if made is PostgresDatabase else "information_schema"))
        database = made(url, conn_id="crm", statement_timeout_seconds=60)
        with database.lock("of its own", HOLDER) as lease:
            lease.check()
        database.close()
    assert "standby" not in caplog.text
