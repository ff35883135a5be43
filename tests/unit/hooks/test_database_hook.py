import datetime as dt
import json
import re
import sys

import pytest
from airflow.sdk import Connection

from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.hooks.registry import DATABASES, TARGETS, resolve
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
        "generic": "GenericDatabase",
        "mysql": "MysqlDatabase",
        "postgres": "PostgresDatabase",
        "sqlite": "SqliteDatabase",
    }
    assert URLS.keys() == DATABASES.keys()


def test_every_registered_target_is_there():
    assert {name: resolve(path).__name__ for name, path in TARGETS.items()} == {
        "generic": "GenericTarget",
        "mysql": "MysqlTarget",
        "postgres": "PostgresTarget",
        "sqlite": "SqliteTarget",
    }


def test_a_connection_gives_a_target_that_is_not_connected_yet(tmp_path):
    metadata.put_connection("dwh", conn_type="sqlite", host=str(tmp_path / "nothing.db"))
    target = LegacyDatabaseHook("dwh").get_target(statement_timeout=dt.timedelta(seconds=90))
    assert type(target).__name__ == "SqliteTarget"
    assert (target.conn_id, target.seconds) == ("dwh", 90)
    target.close()
    with pytest.raises(ConfigurationError, match="nowhere"):
        LegacyDatabaseHook("nowhere").get_target()


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
    assert f"with its extra '{extra}'" in refused("crm", conn_type="postgres", extra=f'{{"{extra}": "yes"}}')


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
    assert "with its extra 'iam'" in refused("crm", conn_type="mysql", extra='{"iam": true}')


@pytest.mark.parametrize("field", ["host", "schema"])
def test_a_sqlite_connection_names_its_file_in_host_or_schema(field, tmp_path):
    made = database("shop", conn_type="sqlite", **{field: str(tmp_path / "shop.db")})

    assert made.path == tmp_path / "shop.db"


@pytest.mark.parametrize("host", [None, ":memory:", "file:/x.db?mode=ro"])
def test_a_sqlite_connection_without_a_file_is_refused(host):
    assert "needs the path of a database file" in refused("shop", conn_type="sqlite", host=host)


def test_a_type_without_a_form_is_read_through_the_url_in_its_extra():
    made = database("erp", conn_type="generic", extra='{"sqlalchemy_url": "sqlite:////srv/erp.db"}')

    assert type(made).__name__ == "GenericDatabase"
    assert str(made.url) == "sqlite:////srv/erp.db"
    assert made.statement_timeout_seconds == 90


def test_any_type_that_is_not_known_may_have_that_extra():
    made = database("erp", conn_type="hana", extra='{"sqlalchemy_url": "sqlite:////srv/erp.db"}')

    assert type(made).__name__ == "GenericDatabase"


def test_login_and_password_of_the_connection_fill_in_what_the_url_leaves_out():
    extra = '{"sqlalchemy_url": "postgresql+psycopg://erp-db:5433/erp"}'
    made = database("erp", conn_type="generic", login="ann", password="p@ss", extra=extra)

    assert made.url.render_as_string(hide_password=False) == "postgresql+psycopg://ann:p%40ss@erp-db:5433/erp"


class Hook:
    """What an Airflow provider brings."""

    def __init__(self, **attributes):
        vars(self).update(attributes)

    def get_uri(self):
        return "sqlite:////srv/by-uri.db"


@pytest.fixture
def provider(monkeypatch):
    """Returns a function that installs a provider's hook for every connection type."""

    def install(hook):
        from airflow.models.connection import Connection
        from airflow.sdk import Connection as TaskConnection

        for class_ in (Connection, TaskConnection):
            monkeypatch.setattr(class_, "get_hook", lambda self, **_: hook)

    return install


def test_without_the_extra_the_hook_of_its_type_gives_the_url(provider):
    provider(Hook(sqlalchemy_url="sqlite:////srv/by-url.db"))
    assert str(database("erp", conn_type="hana").url) == "sqlite:////srv/by-url.db"
    provider(Hook())
    assert str(database("erp", conn_type="hana").url) == "sqlite:////srv/by-uri.db"


def test_a_type_that_leads_to_no_url_is_refused_with_both_ways():
    message = refused("erp", conn_type="hana", host="erp-db", password="s3cret")

    assert "connection 'erp' of type 'hana' leads to no SQLAlchemy URL" in message
    assert "no extra 'sqlalchemy_url', and Airflow has no hook for it" in message
    assert "install the Airflow provider of that type" in message
    assert "s3cret" not in message


def test_a_hook_without_a_url_is_named(provider):
    provider(object())
    assert "its hook object returns no URL" in refused("erp", conn_type="hana")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ann:s3cret@erp-db/erp", "its extra sqlalchemy_url gives is not a SQLAlchemy URL"),
        ("nosuch+driver://ann:s3cret@erp-db/erp", "the SQLAlchemy dialect 'nosuch.driver' .* is not installed"),
        ("oracle+oracledb://ann:s3cret@erp-db/erp", r"the driver of 'oracle\+oracledb' can't be imported"),
        ("mssql+pyodbc://ann:s3cret@erp-db/erp", r"the driver of 'mssql\+pyodbc' can't be imported"),
    ],
)
def test_a_url_that_can_not_be_used_is_refused_without_showing_it(url, says):
    message = refused("erp", conn_type="generic", extra=json.dumps({"sqlalchemy_url": url}))

    assert re.search(says, message)
    assert "connection 'erp'" in message
    assert "s3cret" not in message


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


@pytest.mark.parametrize("ssl", ["secret", "[]", "[" * 100_000, ["secret"]])
def test_a_certificate_that_is_no_object_is_told_without_what_it_holds(ssl):
    with pytest.raises(ConfigurationError, match="the extra 'ssl' of connection 'crm' is not a JSON object") as refused:
        database("crm", conn_type="mysql", extra=json.dumps({"ssl": ssl}))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("extra", ["", "{}", " { } ", '{"sslmode": null}', '{"options": null, "ssl": null}'])
@pytest.mark.parametrize("conn_type", ["postgres", "mysql"])
def test_a_null_among_the_extras_means_that_one_is_not_set(conn_type, extra):
    assert "?" not in str(database("crm", conn_type=conn_type, extra=extra).url)


def test_a_null_in_the_certificate_of_a_mysql_connection_means_that_it_is_not_set():
    made = database("crm", conn_type="mysql", extra=json.dumps({"ssl": {"ca": "/ca.pem", "key": None}}))
    assert str(made.url) == "mysql+mysqldb://localhost?ssl_ca=%2Fca.pem"


@pytest.mark.parametrize("name", ["autocommit", "prepare_threshold", "row_factory", "cursor_factory", "async"])
def test_what_is_fixed_for_every_session_wins_over_an_extra(name):
    made = database("crm", conn_type="postgres", extra=json.dumps({name: 0, "keepalives": 1}))
    assert str(made.url) == "postgresql+psycopg://?keepalives=1"


@pytest.mark.parametrize("conn_type", ["postgres", "mysql"])
@pytest.mark.parametrize("extra", ["sslmode=require", '["sslmode"]', '"{}"'])
def test_an_extra_field_that_can_not_be_read_is_refused(conn_type, extra):
    with pytest.raises(ConfigurationError, match="the extra field of connection 'crm' is not a JSON object"):
        URLS[conn_type]("crm", Connection(conn_id="crm", conn_type=conn_type, extra=extra))


@pytest.mark.parametrize("conn_type", ["postgres", "mysql"])
@pytest.mark.parametrize("value", [["secret"], {"secret": 1}])
def test_an_extra_that_holds_more_than_one_value_is_refused_without_it(conn_type, value):
    found = refused("crm", conn_type=conn_type, extra=json.dumps({"init": value}))
    assert found.startswith("correct or remove extra 'init' of connection 'crm': it is a JSON list or object")
    assert "secret" not in found


@pytest.mark.parametrize(
    ("url", "extra", "made", "opened"),
    [
        (
            "postgresql+psycopg://db:5433/crm?sslmode=require",
            {"connect_timeout": 5},
            "PostgresDatabase",
            "postgresql+psycopg://ann:p%40ss@db:5433/crm?connect_timeout=5&sslmode=require",
        ),
        ("postgres://bob:own@db/crm", {}, "PostgresDatabase", "postgresql+psycopg://bob:own@db/crm"),
        ("postgresql+psycopg2://db/crm", {}, "PostgresDatabase", "postgresql+psycopg://ann:p%40ss@db/crm"),
        (
            "postgresql://:5432/crm?host=one:1&host=two:2",
            {},
            "PostgresDatabase",
            "postgresql+psycopg://ann:p%40ss@:5432/crm?host=one%3A1&host=two%3A2",
        ),
        (
            "mariadb+mysqldb://db/shop?ssl_ca=/ca.pem&charset=latin1",
            {},
            "MysqlDatabase",
            "mysql+mysqldb://ann:p%40ss@db/shop?ssl_ca=%2Fca.pem",
        ),
        (
            "mysql://db:3307/shop",
            {"ssl": {"ca": "x"}},
            "MysqlDatabase",
            "mysql+mysqldb://ann:p%40ss@db:3307/shop?ssl_ca=x",
        ),
        ("sqlite:////data/shop.db", {}, "SqliteDatabase", "sqlite:////data/shop.db"),
        ("sqlite+pysqlite:///shop.db", {}, "SqliteDatabase", "sqlite:///shop.db"),
        (
            "firebird+firebird://db:3050//erp.fdb",
            {},
            "GenericDatabase",
            "firebird+firebird://ann:p%40ss@db:3050//erp.fdb",
        ),
    ],
)
def test_a_connection_of_our_own_type_is_read_by_the_database_of_its_url(url, extra, made, opened):
    fields = {"login": "ann", "password": "p@ss", "extra": json.dumps({"sqlalchemy_url": url, **extra})}
    found = database("own", conn_type="legacy_database", **fields)

    assert type(found).__name__ == made
    assert found.url.render_as_string(hide_password=False) == opened


def test_a_generic_connection_with_a_url_of_our_own_databases_stays_what_it_was():
    url = "postgresql+psycopg://db/crm"

    found = database("erp", conn_type="generic", extra=json.dumps({"sqlalchemy_url": url}))

    assert type(found).__name__ == "GenericDatabase"


def test_a_connection_of_our_own_type_without_a_url_says_where_it_goes():
    assert refused("own", conn_type="legacy_database", host="db") == (
        "connection 'own' of type 'legacy_database' has no SQLAlchemy URL. Put it into the form's field 'SQLAlchemy"
        " URL', which is the extra 'sqlalchemy_url', such as 'postgresql://host:5432/database'"
    )


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("postgresql://", "postgresql+psycopg://ann@field:9/crm"),
        ("postgresql://db/erp", "postgresql+psycopg://ann@db:9/erp"),
        ("mysql://:3307", "mysql+mysqldb://ann@field:3307/crm"),
        ("firebird+firebird://", "firebird+firebird://ann@field:9/crm"),
        ("firebird+firebird://db//erp.fdb", "firebird+firebird://ann@db//erp.fdb"),
        ("sqlite:////erp.db", "sqlite:////erp.db"),
    ],
)
def test_the_fields_of_a_connection_of_our_own_type_fill_in_what_its_url_leaves_out(url, opened):
    fields = {"host": "field", "port": 9, "schema": "crm", "login": "ann"}

    found = database("own", conn_type="legacy_database", **fields, extra=json.dumps({"sqlalchemy_url": url}))

    assert str(found.url) == opened


@pytest.mark.parametrize("url", ["postgresql://db/crm", "mysql://db/crm", "firebird+firebird://db/crm"])
def test_port_0_is_none(url):
    found = database("own", conn_type="legacy_database", port=0, extra=json.dumps({"sqlalchemy_url": url}))

    assert found.url.port is None


@pytest.mark.parametrize("fields", [{"host": "/data/crm.db"}, {"schema": "/data/crm.db"}])
def test_the_file_of_a_sqlite_url_may_be_named_by_the_fields(fields):
    found = database("own", conn_type="legacy_database", **fields, extra=json.dumps({"sqlalchemy_url": "sqlite://"}))
    assert found.url.database == "/data/crm.db"


@pytest.mark.parametrize("conn_type", ["legacy_database", "generic"])
def test_blanks_around_a_url_that_was_pasted_do_not_count(conn_type):
    url = " firebird+firebird://db/crm \n"
    found = database("own", conn_type=conn_type, extra=json.dumps({"sqlalchemy_url": url}))
    assert found.url.render_as_string() == url.strip()


@pytest.mark.parametrize("extra", ['["sqlalchemy_url"]', '"{}"'])
def test_an_extra_field_of_any_type_that_is_no_object_is_refused(extra):
    with pytest.raises(ConfigurationError, match="the extra field of connection 'crm' is not a JSON object"):
        URLS["generic"]("crm", Connection(conn_id="crm", conn_type="odd", extra=extra))
