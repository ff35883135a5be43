"""Placeholders of Airflow connections in a connector's config."""

from __future__ import annotations

import json

import pytest

from airflow_legacy_events.connect.placeholders import connections, of_field
from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.hooks.connect_values import filled
from tests.airflow import metadata


@pytest.fixture(autouse=True)
def _reach():
    with metadata.as_task():
        yield


def value(text: str, **fields) -> dict:
    metadata.put_connection("filled", **fields)
    return filled({"a": text, "b": 1, "c": "${env:X}"})


FULL = {"host": "db", "port": 1, "login": "u", "password": "p:@/", "schema": "shop"}


@pytest.mark.parametrize(
    ("conn_type", "url"),
    [
        ("postgres", "jdbc:postgresql://db:1/shop"),
        ("mysql", "jdbc:mysql://db:1/shop"),
    ],
)
def test_fields_of_a_database(conn_type, url):
    names = ("host", "port", "login", "password", "database", "jdbc_url")
    text = "|".join(f"${{airflow:filled:{one}}}" for one in names)
    found = value(text, conn_type=conn_type, **FULL)
    assert found == {"a": f"db|1|u|p:@/|shop|{url}", "b": 1, "c": "${env:X}"}


@pytest.mark.parametrize(("url", "port"), [("postgresql://h/d", "5432"), ("mariadb://h/d", "3306")])
def test_a_url_of_our_own_connection_type_and_its_default_port(url, port):
    extra = json.dumps({"sqlalchemy_url": url})
    assert value("${airflow:filled:port}", conn_type="legacy_database", extra=extra)["a"] == port


def test_a_connection_of_a_type_without_a_driver():
    found = value("mongodb://${airflow:filled:host}:${airflow:filled:port}", conn_type="mongo", host="m")
    assert found["a"] == "mongodb://m:27017"


def test_what_a_connection_has_not_is_left_out_and_refused_within_a_text():
    assert "a" not in value("${airflow:filled:password}", conn_type="postgres", host="db", schema="shop")
    with pytest.raises(ConfigurationError, match="a needs the password of connection 'filled'"):
        value("x-${airflow:filled:password}", conn_type="postgres", host="db", schema="shop")


def test_brokers():
    found = value("${airflow:filled:bootstrap_servers}", conn_type="kafka", extra='{"bootstrap.servers": "k:1"}')
    assert found["a"] == "k:1"


def test_an_unknown_field_and_an_unknown_connection():
    with pytest.raises(ConfigurationError, match="'hots'"):
        value("${airflow:filled:hots}", conn_type="postgres", host="db")
    with pytest.raises(ConfigurationError, match="not_there"):
        filled({"a": "${airflow:not_there:host}"})


def test_connections_that_a_config_names():
    config = {"a": "${airflow:x:host}${airflow:y:host}", "b": "${airflow:x:jdbc_url}", "c": "${env:z:host}"}
    assert connections(config) == ("x", "y")
    assert of_field(config, "jdbc_url") == "x"
    assert of_field(config, "host") is None
