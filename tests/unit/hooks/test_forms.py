"""Connection types as Airflow's forms show them."""

from importlib import metadata

import pytest
from airflow.models.connection import Connection

from airflow_legacy_events.hooks import forms
from airflow_legacy_events.hooks.connect import KafkaConnectHook
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.hooks.registry import CONN_TYPE, resolve


def types():
    return {entry["connection-type"]: entry for entry in forms.connection_types()}


def test_each_type_has_a_hook_of_that_type_and_name():
    for conn_type, entry in types().items():
        module, _, name = entry["hook-class-name"].rpartition(".")
        hook = resolve(f"{module}:{name}")
        assert issubclass(hook, KafkaConnectHook if conn_type == "kafka_connect" else LegacyDatabaseHook)
        assert (hook.conn_type, hook.hook_name) == (conn_type, entry["hook-name"])
    assert CONN_TYPE in types()


@pytest.mark.parametrize("conn_type", ["postgres", "mysql", "sqlite"])
def test_a_type_of_another_provider_is_left_to_it_where_it_is_installed(monkeypatch, conn_type):
    assert conn_type in types()
    found = metadata.distribution("pytest")
    monkeypatch.setattr(
        metadata,
        "distribution",
        lambda name: found if name == f"apache-airflow-providers-{conn_type}" else forms_missing(name),
    )

    assert types().keys() == {CONN_TYPE, "kafka_connect", "generic", "postgres", "mysql", "sqlite"} - {conn_type}


def forms_missing(name):
    raise metadata.PackageNotFoundError(name)


@pytest.mark.parametrize("conn_type", ["legacy_database", "generic", "postgres", "mysql", "sqlite"])
def test_airflow_finds_the_hook_of_each_type(conn_type):
    hook = Connection(conn_id="c", conn_type=conn_type).get_hook()

    assert (hook.conn_id, hook.conn_type) == ("c", conn_type)
