"""TLS with MariaDB and MySQL: what a connection asks for is there in every session, or nothing is read."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
import sqlalchemy as sa
from airflow.sdk import Connection

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError, SourceError
from airflow_legacy_events.databases.mysql import MysqlDatabase
from airflow_legacy_events.databases.mysql.connecting import connect, options_of
from airflow_legacy_events.databases.postgres import PostgresDatabase
from airflow_legacy_events.hooks.urls import URLS
from airflow_legacy_events.streams.stores import open_store
from tests.support.encrypted import encrypted_server, filled, without_tls
from tests.support.silence import Proxy

HOLDER = {"dag": "d", "task": "t", "run": "r", "map_index": -1, "try": 1, "host": "h", "pid": 1}


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    with encrypted_server(tmp_path_factory) as server:
        yield server


def opened(url, extra, **changed):
    """The database of an Airflow connection to a server of the tests."""
    to = sa.make_url(url).set(**changed)
    fields = {"host": to.host, "port": to.port, "login": to.username, "password": to.password}
    made = Connection(conn_id="crm", conn_type="mysql", schema="information_schema", extra=json.dumps(extra), **fields)
    return MysqlDatabase(URLS["mysql"]("crm", made), conn_id="crm", statement_timeout_seconds=30)


def written(server, extra):
    """An Airflow connection as JSON."""
    to = sa.make_url(server.url())
    fields = {"host": to.host, "port": to.port, "login": to.username, "password": to.password}
    return json.dumps({"conn_type": "mysql", "schema": "mysql", "extra": extra, **fields})


def cipher(database):
    return dict(database.read(sa.text("SHOW STATUS LIKE 'Ssl_cipher'")))["Ssl_cipher"]


ASKED = [
    {"ssl_mode": "REQUIRED"},
    {"ssl_mode": "required"},
    {"ssl_mode": "VERIFY_IDENTITY"},
    {"ssl_mode": "VERIFY_CA", "ssl": {"ca": "OURS"}},
    {"ssl": True},
    {"ssl": {"ca": "OURS"}},
    {"ssl": {"ca": "OURS", "check_hostname": True}},
    {"ssl": {"cipher": "ECDHE-ECDSA-AES256-GCM-SHA384"}},
    {"ssl_verify_cert": True, "ssl_ca": "OURS"},
    {"ssl_verify_identity": "true"},
]


@pytest.mark.parametrize("server", ["mariadb", "mysql"])
@pytest.mark.parametrize("extra", ASKED, ids=json.dumps)
def test_a_server_without_tls_is_refused_where_it_was_asked_for(request, encrypted, server, extra):
    url = request.getfixturevalue(server).url()
    with closing(opened(url, filled(extra, encrypted))) as database, pytest.raises(LegacyEventsError, match="crm"):
        database.identity()


def test_the_refusal_names_the_extra_and_what_to_do(mariadb):
    with (
        closing(opened(mariadb.url(), {"ssl_mode": "REQUIRED"})) as database,
        pytest.raises(
            ConfigurationError, match=r"^enable TLS on the server of connection 'crm', or remove extra 'ssl_m"
        ),
    ):
        database.identity()


def test_a_lock_and_a_table_of_watermarks_are_refused_as_reading_is(mariadb, monkeypatch):
    asking = opened(mariadb.url(), {"ssl_mode": "REQUIRED"})
    with closing(asking), pytest.raises(ConfigurationError, match="enable TLS"), asking.lock("s", HOLDER):
        pass
    monkeypatch.setenv("AIRFLOW_CONN_MARKS", written(mariadb, {"ssl_mode": "REQUIRED"}))
    with pytest.raises(ConfigurationError, match="enable TLS"):
        open_store("table:marks").load("s")


@pytest.mark.parametrize(
    "extra", [{}, {"ssl_mode": "PREFERRED"}, {"ssl_mode": "DISABLED"}, {"ssl": False}, {"ssl": {}}]
)
def test_a_server_without_tls_is_read_where_none_was_asked_for(mariadb, extra):
    with closing(opened(mariadb.url(), extra)) as database:
        assert cipher(database) == ""


@pytest.mark.parametrize(
    "extra",
    [one for one in ASKED if one.get("ssl_mode") != "VERIFY_IDENTITY" and "ssl_verify_identity" not in one],
    ids=json.dumps,
)
def test_every_session_is_encrypted_where_it_was_asked_for(encrypted, extra, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_MARKS", written(encrypted, filled(extra, encrypted)))
    assert open_store("table:marks").load("s") is None
    with closing(opened(encrypted.url(), filled(extra, encrypted))) as database:
        assert cipher(database)
        with database.lock("s", HOLDER) as lease:
            [answer] = lease.execute([sa.text("SHOW STATUS LIKE 'Ssl_cipher'")])
        assert dict(answer.rows)["Ssl_cipher"]


def test_a_newer_mysql_is_encrypted_too(mysql9):
    with closing(opened(mysql9.url(), {"ssl_mode": "REQUIRED"})) as database:
        assert cipher(database)


@pytest.mark.parametrize(
    "extra",
    [
        {"ssl": {"ca": "OTHER"}},
        {"ssl": {"ca": "OTHER"}, "ssl_mode": "REQUIRED"},
        {"ssl": {"ca": "OTHER"}, "ssl_mode": "VERIFY_CA"},
        {"ssl": {"ca": "OTHER", "check_hostname": True}},
        {"ssl_mode": "VERIFY_IDENTITY"},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("server", ["encrypted", "mysql9"])
def test_a_server_with_a_certificate_of_another_authority_is_refused(request, encrypted, server, extra):
    url = request.getfixturevalue(server).url()
    with closing(opened(url, filled(extra, encrypted))) as database, pytest.raises(SourceError, match="certificate"):
        database.identity()


@pytest.mark.parametrize(
    "extra",
    [
        {"ssl": {"ca": "OURS", "check_hostname": True}},
        {"ssl": {"ca": "OURS"}, "ssl_mode": "VERIFY_IDENTITY"},
        {"ssl": {"ca": "OURS"}, "ssl_mode": "VERIFY_CA"},
        {"ssl_ca": "OURS", "ssl_verify_identity": True},
    ],
    ids=json.dumps,
)
def test_a_server_with_a_certificate_for_another_name_is_refused(encrypted, extra):
    encrypted.present("elsewhere.example")
    try:
        database = opened(encrypted.url(), filled(extra, encrypted))
        with closing(database), pytest.raises(SourceError, match="certificate failed"):
            database.identity()
    finally:
        encrypted.present("127.0.0.1")


@pytest.mark.parametrize(
    "extra", [{"ssl_mode": "REQUIRED"}, {"ssl": {"ca": "OURS"}}, {"ssl": {"check_hostname": True}}]
)
def test_somebody_between_who_takes_tls_away_is_found_out(encrypted, extra):
    to = sa.make_url(encrypted.url())
    proxy = Proxy(str(to.host), int(to.port or 0))
    proxy.answered = without_tls
    try:
        database = opened(encrypted.url(), filled(extra, encrypted), port=proxy.port)
        with closing(database), pytest.raises(LegacyEventsError, match="TLS"):
            database.identity()
    finally:
        proxy.close()


@pytest.mark.parametrize("name", ["ca", "cert", "key", "capath"])
@pytest.mark.parametrize("server", ["encrypted", "mariadb"])
def test_a_file_that_is_missing_is_named_by_its_extra(request, server, name):
    database = opened(request.getfixturevalue(server).url(), {"ssl": {name: "/nowhere/secret"}})
    with closing(database), pytest.raises(ConfigurationError, match=f"extra 'ssl_{name}' of connection 'crm'") as found:
        database.identity()
    assert "nowhere" not in str(found.value)


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"ssl_mode": "secret"}, "ssl_mode"),
        ({"ssl": {"verify_mode": "secret"}}, "ssl_verify_mode"),
        ({"sll_mode": "secret"}, "sll_mode"),
        ({"connect_timeout": "secret"}, "connect_timeout"),
        ({"sql_mode": "secret"}, "sql_mode"),
        ({"collation": "secret"}, "collation"),
        ({"init_command": "secret"}, "init_command"),
        ({"port": "secret"}, "port"),
        ({"read_default_group": "secret"}, "read_default_group"),
        ({"read_default_file": "/nowhere/secret"}, "read_default_file"),
    ],
)
def test_what_the_driver_or_the_server_refuses_is_named_by_its_extra_without_its_value(mariadb, extra, named):
    with (
        closing(opened(mariadb.url(), extra)) as database,
        pytest.raises(ConfigurationError, match=f"^correct or remove extra '{named}' of connection 'crm'") as found,
    ):
        database.identity()
    assert "secret" not in str(found.value)


def test_what_is_fixed_for_every_session_wins_over_extras_and_the_rest_is_honoured(mariadb):
    extra = {
        "charset": "latin1",
        "cursor": "dictcursor",
        "cursorclass": "secret",
        "conv": "secret",
        "autocommit": False,
        "client_flag": 65536,
        "local_infile": True,
        "use_unicode": False,
        "client": "mysql-connector-python",
        "compress": False,
        "init_command": "SET sql_mode = 'ANSI', autocommit = 0, SESSION tx_isolation = 'READ-UNCOMMITTED'",
    }
    with closing(opened(mariadb.url(), extra)) as database:
        found = database.read(sa.text("SELECT 'ü', @@autocommit, @@sql_mode LIKE '%%ANSI%%', @@session.tx_isolation"))
    assert found == [("ü", "1", "1", "REPEATABLE-READ")]


@pytest.fixture
def option_file(tmp_path):
    path = tmp_path / "my.cnf"

    def write(*lines):
        path.write_text("\n".join(("# of a test", "[mysqld]", "port = 1", "[client]", *lines)))
        return {"read_default_file": str(path)}

    return write


def test_an_option_file_gives_what_the_connection_does_not(encrypted, option_file):
    extra = option_file("user=admin", 'password = "admin"', "max-allowed-packet=1M", "ssl")
    with closing(opened(encrypted.url(), extra, username="", password=None)) as database:
        assert cipher(database)


@pytest.mark.parametrize("lines", [("ssl-ca = OURS",), ("ssl_mode=REQUIRED",), ("ssl-verify-server-cert",)])
def test_tls_that_an_option_file_asks_for_is_proved(mariadb, encrypted, option_file, lines):
    extra = option_file(*(line.replace("OURS", str(encrypted.ours.path)) for line in lines))
    with closing(opened(mariadb.url(), extra)) as database, pytest.raises(LegacyEventsError, match="TLS"):
        database.identity()


def test_an_option_file_opens_no_file_of_the_worker_to_the_server(mariadb, option_file, tmp_path):
    extra = option_file("local-infile=1")
    (tmp_path / "rows").write_text("1\n")
    url = opened(mariadb.url(), extra).url
    connection = connect("crm", options_of("crm", url.get_dialect()(), url))
    with closing(connection), connection.cursor() as cursor, pytest.raises(Exception, match="local infile"):
        cursor.execute(f"LOAD DATA LOCAL INFILE '{tmp_path}/rows' INTO TABLE mysql.nowhere")


@pytest.mark.parametrize("lines", [("!include /etc/secret.cnf",), ("[mysqld]", "!includedir /secret"), ("[client",)])
def test_an_option_file_that_can_not_be_read_whole_is_refused(mariadb, option_file, lines):
    database = opened(mariadb.url(), option_file(*lines))
    with closing(database), pytest.raises(ConfigurationError, match="extra 'read_default_file'") as found:
        database.identity()
    assert "secret" not in str(found.value)


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_the_driver_of_postgresql_refuses_a_server_without_tls(postgres, mode):
    url = sa.make_url(postgres.url()).set(drivername="postgresql+psycopg").update_query_dict({"sslmode": mode})
    database = PostgresDatabase(url, conn_id="crm", statement_timeout_seconds=30)
    with closing(database), pytest.raises(SourceError, match=r"SSL|certificate"):
        database.identity()
