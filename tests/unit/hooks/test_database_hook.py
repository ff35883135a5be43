import datetime as dt
import json
import sys

import pytest

from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.hooks.registry import DATABASES, resolve
from airflow_legacy_events.hooks.urls import URLS
from tests.airflow import metadata


@pytest.fixture(autouse=True, params=["task", "command line"])
def _reach(request):
    with metadata.as_task() if request.param == "task" else metadata.as_server():
        yield


def database(conn_id, **fields):
    metadata.put_connection(conn_id, **fields)
    return LegacyDatabaseHook(conn_id).get_database(statement_timeout=dt.timedelta(seconds=90))


def refused(conn_id, **fields):
    with pytest.raises(ConfigurationError) as error:
        database(conn_id, **fields)
    return str(error.value)


def test_every_registered_database_is_there_and_has_a_url():
    assert {name: resolve(path).__name__ for name, path in DATABASES.items()} == {
        "mysql": "MysqlDatabase",
        "postgres": "PostgresDatabase",
        "sqlite": "SqliteDatabase",
    }
    assert URLS.keys() == DATABASES.keys()


def test_a_postgres_connection_gives_all_of_its_fields():
    made = database(
        "crm",
        conn_type="postgres",
        host="db.example",
        port=5433,
        login="ann",
        password="p@ss/w:rd",
        schema="crm",
        extra=json.dumps(
            {"sslmode": "verify-full", "keepalives": True, "connect_timeout": 5, "cursor": "dictcursor", "iam": False}
        ),
    )

    assert type(made).__name__ == "PostgresDatabase"
    assert made.conn_id == "crm"
    assert made.statement_timeout_seconds == 90
    assert made.url.render_as_string(hide_password=False) == (
        "postgresql+psycopg://ann:p%40ss%2Fw%3Ard@db.example:5433/crm"
        "?connect_timeout=5&keepalives=1&sslmode=verify-full"
    )


def test_a_postgres_connection_may_leave_everything_to_libpq():
    assert str(database("crm", conn_type="postgres").url) == "postgresql+psycopg://"


@pytest.mark.parametrize("extra", ["iam", "azure_conn_id", "redshift"])
def test_a_postgres_connection_that_asks_for_a_cloud_token_is_refused(extra):
    assert f"by its extra '{extra}'" in refused("crm", conn_type="postgres", extra=f'{{"{extra}": "yes"}}')


def test_a_mysql_connection_gives_all_of_its_fields():
    extra = {"charset": "latin1", "cursor": "sscursor", "local_infile": True, "ssl_mode": "REQUIRED", "compress": True}
    made = database(
        "crm",
        conn_type="mysql",
        host="db.example",
        port=3307,
        login="ann",
        password="p@ss/w:rd",
        schema="crm",
        extra=json.dumps({**extra, "ssl": {"ca": "/ca.pem"}}),
    )
    assert type(made).__name__ == "MysqlDatabase"
    assert made.url.render_as_string(hide_password=False) == (
        "mysql+mysqldb://ann:p%40ss%2Fw%3Ard@db.example:3307/crm?compress=1&ssl_ca=%2Fca.pem&ssl_mode=REQUIRED"
    )


def test_the_certificate_of_a_mysql_connection_may_be_given_as_text():
    made = database("crm", conn_type="mysql", extra=json.dumps({"ssl": '{"ca": "/ca.pem", "cert": "/c.pem"}'}))
    assert str(made.url) == "mysql+mysqldb://localhost?ssl_ca=%2Fca.pem&ssl_cert=%2Fc.pem"


def test_a_mysql_connection_that_asks_for_a_cloud_token_is_refused():
    assert "by its extra 'iam'" in refused("crm", conn_type="mysql", extra='{"iam": true}')


@pytest.mark.parametrize("field", ["host", "schema"])
def test_a_sqlite_connection_names_its_file_in_host_or_schema(field, tmp_path):
    made = database("shop", conn_type="sqlite", **{field: str(tmp_path / "shop.db")})

    assert made.path == tmp_path / "shop.db"


@pytest.mark.parametrize("host", [None, ":memory:", "file:/x.db?mode=ro"])
def test_a_sqlite_connection_without_a_file_is_refused(host):
    assert "needs the path of a database file" in refused("shop", conn_type="sqlite", host=host)


def test_an_unknown_type_is_refused_with_those_that_are_known():
    assert (
        refused("crm", conn_type="hana") == "connection 'crm': type 'hana' is not known; known: mysql, postgres, sqlite"
    )


def test_a_missing_connection_is_named_and_may_be_tried_again():
    with pytest.raises(ConfigurationError, match="connection 'nowhere' was not found") as error:
        LegacyDatabaseHook("nowhere").get_database()

    assert error.value.retry_helps


def test_a_missing_driver_names_the_extra_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for module in [name for name in sys.modules if name.startswith("airflow_legacy_events.databases.postgres")]:
        monkeypatch.delitem(sys.modules, module)

    message = refused("crm", conn_type="postgres", host="db.example")

    assert "needs a driver that can't be imported" in message
    assert "pip install 'airflow-legacy-events[postgres]'" in message
