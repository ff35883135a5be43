"""Logins for the binlog: users, options and servers are those of the sessions that run statements."""

from __future__ import annotations

import itertools
import socket
import sys
from contextlib import closing

import pytest
from pymysql import _auth

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.databases.mysql.changelog.dump import BinlogDump
from airflow_legacy_events.databases.mysql.changelog.dump_session import DumpSession
from airflow_legacy_events.databases.mysql.connecting import connect
from tests.support.binlog_dumps import SECONDS, dump_of, end_of, events_of, options_of, user_of
from tests.support.binlog_servers import SERVERS
from tests.support.silence import proxy

ED25519 = "IDENTIFIED VIA ed25519 USING PASSWORD('secret')"


@pytest.fixture(params=SERVERS)
def server(request):
    return request.getfixturevalue(request.param)


def read(server, **changed):
    return events_of(server, end_of(server), **changed)


def test_a_password_may_have_any_characters(server):
    with user_of(server, "IDENTIFIED BY 'пароль €'", "REPLICATION SLAVE") as user:
        read(server, user=user, passwd="пароль €")


def test_a_user_without_the_right_is_given_the_grant(server):
    with user_of(server, "IDENTIFIED BY 'secret'", "SELECT") as user:
        with pytest.raises(ConfigurationError) as caught:
            read(server, user=user, passwd="secret")
        grant = str(caught.value).splitlines()[-1]
        assert grant.startswith(f"GRANT REPLICATION SLAVE ON *.* TO '{user}'@'")
        server.execute(grant)
        read(server, user=user, passwd="secret")


def test_an_init_command_is_run_here_too(server):
    """Such as one that sets the role which may read the binlog."""
    with pytest.raises(SourceError, match="failed while opening a session for the binlog"):
        read(server, init_command="SET no_such_variable = 1")
    read(server, init_command="SET @a = 1")


def test_a_wrong_password_is_the_server_s_error_without_it(server):
    with pytest.raises(SourceError, match=r"Access denied .*error 1045") as caught:
        read(server, passwd="not that one")
    assert "not that" not in str(caught.value)


def test_a_server_that_is_not_there_is_an_error():
    with closing(BinlogDump("crm", {"host": "127.0.0.1", "port": 1}, SECONDS)) as dump, pytest.raises(SourceError):
        next(dump.events(("binlog.000001", 4)))


def test_a_socket_and_an_option_file_lead_to_the_server(server, tmp_path):
    [(_, path)] = server.execute("SHOW VARIABLES LIKE 'socket'")
    given = options_of(server)
    file = tmp_path / "my.cnf"
    file.write_text(f"[client]\nuser={given['user']}\npassword={given['passwd']}\nsocket={path}\n")
    place = end_of(server)
    with closing(BinlogDump("crm", {"read_default_file": str(file)}, SECONDS)) as dump:
        assert isinstance(list(dump.events(place)), list)


def test_a_session_is_a_replica_with_an_id_of_its_own_and_notices_a_peer_that_vanished(server):
    [(version,)] = server.execute("SELECT VERSION()")
    statement = "SHOW SLAVE HOSTS" if "MariaDB" in version or version.startswith("5.6") else "SHOW REPLICAS"
    with closing(DumpSession("crm", options_of(server), SECONDS)) as session:
        number = session.server_id()
        session.register(number)
        hosts = {row[0]: row[1] for row in server.execute(statement)}
        assert number > 2**31
        assert hosts[number].startswith("airflow-legacy-events@")
        assert session._used() >= {number}
        assert session._wire._socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert session._wire._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60


@pytest.fixture
def ed25519(request):
    server = request.getfixturevalue("mariadb_logs")
    server.execute("INSTALL SONAME 'auth_ed25519'")
    with user_of(server, ED25519, "REPLICATION SLAVE") as user:
        yield server, user


def test_a_user_of_ed25519_needs_a_package(ed25519, monkeypatch):
    server, user = ed25519
    connect("crm", options_of(server, user=user, passwd="secret")).close()
    read(server, user=user, passwd="secret")
    monkeypatch.setattr(_auth, "_nacl_bindings", False)
    monkeypatch.setitem(sys.modules, "nacl", None)
    with pytest.raises(ConfigurationError, match=r"^pip install 'PyMySQL\[ed25519\]' where .*another user.*ed25519"):
        read(server, user=user, passwd="secret")


def test_whatever_the_driver_raises_is_an_error_of_the_connection(request):
    """Its reader of PAM's dialog ends with an IndexError for a service that PAM does not have."""
    server = request.getfixturevalue("mariadb_logs")
    server.execute("INSTALL SONAME 'auth_pam'")
    with (
        user_of(server, "IDENTIFIED VIA pam USING 'no_such_service'", "REPLICATION SLAVE") as user,
        pytest.raises(SourceError, match="connection 'crm' failed while opening a session for the binlog"),
    ):
        read(server, user=user)


def identity(server):
    names = "'server_uuid', 'server_uid', 'server_id', 'port'"
    return dict(server.execute(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})"))


def test_a_balancer_is_tried_until_it_leads_to_the_server_of_the_statements(mariadb_logs, mariadb):
    ports = itertools.cycle([options_of(one)["port"] for one in (mariadb, mariadb_logs)])
    place, expected = end_of(mariadb_logs), identity(mariadb_logs)
    mariadb_logs.execute("CREATE DATABASE only_here; DROP DATABASE only_here")
    with proxy("127.0.0.1", 0) as balancer:
        balancer.targets = (("127.0.0.1", port) for port in ports)
        for _ in range(5):
            with dump_of(mariadb_logs, expected, port=balancer.port, ssl_mode="DISABLED") as dump:
                assert sum(b"only_here" in one.body for one in dump.events(place)) == 2


def test_a_stream_from_another_server_is_refused_with_both(mariadb_logs, mariadb):
    expected, found = identity(mariadb_logs), identity(mariadb)
    with dump_of(mariadb, expected) as dump, pytest.raises(SourceError) as caught:
        next(dump.events(end_of(mariadb_logs)))
    said = str(caught.value)
    assert said.startswith("let connection 'crm' name one server, not a balancer")
    assert {expected["port"], found["port"]} <= set(said.replace(",", " ").replace(".", " ").replace("=", " ").split())
