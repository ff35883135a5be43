"""The Test button of a connection: an answer of ours within seconds, wherever it leads to, and no secret in it."""

from __future__ import annotations

import json
import re
import socket
import threading

import pytest

from airflow_legacy_events.hooks import testing
from tests.services.base import free_port
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.mysql import User

NAMES = {"postgresql": "PostgreSQL ", "sqlite": "SQLite ", "firebird": "firebird "}
SECRET = "s3cret-of-the-tests"


@pytest.fixture
def press(monkeypatch):
    """Test a connection as the API server does: under a name that is known to nobody, by the hook of its type."""
    from airflow.models.connection import Connection

    def press(conn_type, **fields):
        extra = fields.pop("extra", None)
        text = extra if isinstance(extra, str) or extra is None else json.dumps(extra)
        connection = Connection(conn_id="transient", conn_type=conn_type, extra=text, **fields)
        monkeypatch.setenv("AIRFLOW_CONN_TRANSIENT", connection.get_uri())
        return connection.test_connection()

    return press


@pytest.fixture(params=of(also=("mysql-5.6", "mariadb-10.11")))
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE orders (id integer PRIMARY KEY, note varchar(20))")
        yield found


def url_of(legacy, **changes):
    return legacy.url.set(**changes).render_as_string(hide_password=False)


def test_a_server_tells_who_it_is_and_what_the_role_may(press, legacy):
    ok, text = press("legacy_database", extra={"sqlalchemy_url": url_of(legacy)})

    assert ok, text
    name = "MariaDB " if "mariadb" in legacy.engine.name else "MySQL "
    assert text.startswith(NAMES.get(legacy.dialect, name))
    assert str(legacy.url.database) in text
    assert ("may write to tables" in text) == (legacy.dialect != "firebird")
    assert "clock in " in text or legacy.dialect == "firebird"
    assert (f"role '{legacy.url.username}" in text) == (legacy.dialect != "sqlite")
    assert "transient" not in text


def test_the_type_generic_has_an_answer_too(press, legacy):
    ok, text = press("generic", extra={"sqlalchemy_url": url_of(legacy)})

    assert ok, text
    assert legacy.url.get_backend_name() in text


@pytest.mark.parametrize("engine", [name for name in of("postgresql", "mysql") if name != "mysql-5.6"])
def test_a_role_that_may_only_read_is_said_to(request, press, engine):
    with legacy_database(request, engine) as legacy:
        legacy.execute("CREATE TABLE orders (id integer PRIMARY KEY)")
        database = legacy.url.database
        if legacy.dialect == "mysql":
            user = User(legacy)
            user.grant(f"SELECT ON {database}.*")
            url, drop = url_of(legacy, username=user.name), user.drop
        else:
            name = f"{database}_reader"
            legacy.execute(f"CREATE ROLE {name} LOGIN")
            legacy.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
            legacy.execute(f"ALTER ROLE {name} SET timezone = 'Europe/Berlin'")
            url = url_of(legacy, username=name)

            def drop():
                legacy.execute(f"DROP OWNED BY {name}")
                legacy.execute(f"DROP ROLE {name}")

        try:
            ok, text = press("legacy_database", extra={"sqlalchemy_url": url})
        finally:
            drop()
    assert ok, text
    assert "may not write to any table" in text
    assert ("clock in Europe/Berlin" in text) == (legacy.dialect == "postgresql")


@pytest.mark.parametrize(
    ("conn_type", "fields", "found"),
    [
        ("legacy_database", {}, "the connection of type 'legacy_database' has no SQLAlchemy URL. Put it into"),
        ("legacy_database", {"extra": {"sqlalchemy_url": "no url"}}, "is not a SQLAlchemy URL"),
        ("legacy_database", {"extra": {"sqlalchemy_url": "nosuch://host/db"}}, "'nosuch' .* is not installed"),
        ("legacy_database", {"extra": {"sqlalchemy_url": "sqlite:////no/such/file.db"}}, "which does not exist"),
        ("legacy_database", {"extra": {"sqlalchemy_url": "sqlite://"}}, "needs the path of a database file"),
        ("generic", {}, "leads to no SQLAlchemy URL"),
        ("generic", {"host": "h", "extra": {"other": 1}}, "it has no extra 'sqlalchemy_url'"),
        ("sqlite", {}, "needs the path of a database file"),
        ("postgres", {"host": "127.0.0.1", "port": 1, "password": SECRET}, "connecting"),
        ("mysql", {"host": "127.0.0.1", "port": 1, "password": SECRET}, "connecting"),
    ],
)
def test_a_connection_that_leads_nowhere_has_an_answer_without_secrets(press, conn_type, fields, found):
    ok, text = press(conn_type, **fields)

    assert not ok
    assert text
    assert re.search(found, text), text
    assert "Traceback" not in text
    assert "NoneType" not in text
    assert SECRET not in text
    assert "transient" not in text


@pytest.mark.parametrize("backend", ["postgresql", "mysql", "mssql+nosuch"])
def test_no_part_of_a_url_that_is_refused_is_shown(press, backend):
    url = f"{backend}://ann:{SECRET}@127.0.0.1:{free_port()}/crm?sslpassword={SECRET}x"
    ok, text = press("legacy_database", password=SECRET, extra={"sqlalchemy_url": url})

    assert not ok
    assert SECRET not in text


@pytest.mark.parametrize("conn_type", ["postgres", "mysql"])
def test_a_host_that_accepts_and_says_nothing_is_given_up(press, monkeypatch, conn_type):
    monkeypatch.setattr(testing, "DEADLINE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ok, text = press(conn_type, host="127.0.0.1", port=silent.getsockname()[1], login="ann")
        left = [one for one in threading.enumerate() if one.name == "legacy-events-test" and not one.daemon]

    assert not ok
    assert text.startswith("no answer within 0.3 s. Check host and port")
    assert left == []


def test_a_kafka_connection_is_answered_by_the_provider_that_we_need(press):
    ok, text = press("kafka", extra={})

    assert not ok
    assert "Traceback" not in text
