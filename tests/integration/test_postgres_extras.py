"""Extras of a PostgreSQL connection: taken as they stand in deployments, below our own settings, or refused by name."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from airflow.sdk import Connection

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.databases.postgres import PostgresDatabase
from airflow_legacy_events.hooks.urls import postgres_url
from tests.services.pgbouncer import PgBouncer
from tests.support.engines import of
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r", "map_index": -1, "try": 1, "host": "h", "pid": 1}


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


def database(url, extra, timeout=30):
    fields = {"host": url.host, "port": url.port, "login": url.username, "schema": url.database}
    connection = Connection(conn_id="crm", conn_type="postgres", extra=json.dumps(extra), **fields)
    return PostgresDatabase(postgres_url("crm", connection), conn_id="crm", statement_timeout_seconds=timeout)


def refused(url, extra):
    found = database(url, extra)
    with pytest.raises(ConfigurationError) as error:
        found.now()
    found.close()
    return str(error.value)


@pytest.mark.parametrize(
    "extra",
    [
        {"sslmode": None},
        {"options": None, "keepalives": 1},
        {"prepare_threshold": None},
        {"prepare_threshold": 0},
        {"autocommit": True},
        {"autocommit": False, "row_factory": "dict_row", "cursor_factory": "NamedTupleCursor", "cursor": "dictcursor"},
        {"client_encoding": "LATIN1"},
        {"sslmode": "prefer", "connect_timeout": 10, "application_name": "airflow", "keepalives_idle": 30},
        {"iam": False, "aws_conn_id": "aws_default", "cluster-identifier": "x", "redshift": False},
        {"sqlalchemy_query": {"sslmode": "prefer", "gssencmode": None}, "sqlalchemy_scheme": "postgresql"},
        {"options": "-c DateStyle=German -c statement_timeout=5 -c row_security=on"},
        {"target_session_attrs": "read-write", "gssencmode": "disable"},
    ],
    ids=str,
)
def test_what_stands_in_deployments_is_taken_and_our_own_settings_win(legacy, extra):
    found = database(legacy.url, extra)
    assert found.read(sa.text("SELECT date '2026-11-29', pg_sleep(0.01), 'ü€'")) == [("2026-11-29", "", "ü€")]
    with found.lock("s", HOLDER) as lease:
        lease.check()
    found.close()


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        ({"foo": "secret"}, "not a libpq connection parameter"),
        ({"conninfo": "secret"}, "not a libpq connection parameter"),
        ({"self": "secret"}, "not a libpq connection parameter"),
        ({"sslmode": "secret"}, "a value that libpq does not accept"),
        ({"keepalives": "secret"}, "a value that libpq does not accept"),
        ({"connect_timeout": "secret"}, "a value that libpq does not accept"),
        ({"target_session_attrs": "secret"}, "a value that libpq does not accept"),
        ({"ssl_min_protocol_version": "secret"}, "a value that libpq does not accept"),
        ({"hostaddr": "secret"}, "a value that libpq does not accept"),
        ({"service": "secret"}, "in no service file"),
        ({"options": "-c secret=1"}, "a setting that the server refuses"),
        ({"options": "-c work_mem=secret"}, "a setting that the server refuses"),
        ({"options": "--secret"}, "a setting that the server refuses"),
        ({"replication": "secret"}, "a setting that the server refuses"),
        ({"sqlalchemy_query": "secret"}, "is not a JSON object"),
    ],
    ids=str,
)
def test_what_is_refused_is_named_without_its_value(legacy, extra, why):
    name = next(iter(extra))
    with pytest.raises(ConfigurationError) as error:
        database(legacy.url, extra).now()
    told = str(error.value)
    assert told.startswith(f"correct or remove extra {name!r} of connection 'crm': it ")
    assert why in told
    assert "secret" not in told
    assert error.value.__cause__ is None


def test_what_has_nothing_to_do_with_an_extra_is_no_fault_of_one(legacy):
    found = database(legacy.url.set(database="nowhere"), {"connect_timeout": 5, "sslmode": "prefer"})
    with pytest.raises(LegacyEventsError, match="failed while connecting"):
        found.now()


def test_an_extra_that_a_pooler_does_not_take_is_named(legacy):
    extra = {"options": "-c work_mem=4MB"}
    pooler = PgBouncer(legacy.url, "session")
    try:
        told = refused(pooler.url, extra)
    finally:
        pooler.stop()
    assert "extra 'options' of connection 'crm': it is not accepted by the pooler" in told
    pooler = PgBouncer(legacy.url, "session", ignore_startup_parameters="options")
    try:
        found = database(pooler.url, extra)
        found.now()
        found.close()
    finally:
        pooler.stop()
