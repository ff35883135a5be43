"""Connections to Kafka Connect as the hook reads them."""

import datetime as dt
import json

import pytest
from airflow.models.connection import Connection

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.hooks.connect import KafkaConnectHook

SECRET = "open-sesame-77"


@pytest.fixture
def read(monkeypatch):
    def read(**fields):
        made = {"conn_type": "kafka_connect", "host": "h", **fields}
        monkeypatch.setenv("AIRFLOW_CONN_K", json.dumps(made))
        return KafkaConnectHook("k").endpoint()

    return read


@pytest.mark.parametrize(
    ("fields", "addresses"),
    [
        ({"host": "h"}, ["http://h:8083"]),
        ({"host": "h", "port": 80, "schema": "https"}, ["https://h:80"]),
        ({"host": "a, b:9,c", "port": 7}, ["http://a:7", "http://b:9", "http://c:7"]),
        ({"host": "https://gate/connect/"}, ["https://gate:8083/connect"]),
        ({"host": "https://gate:443"}, ["https://gate:443"]),
        ({"host": "[::1]:8"}, ["http://[::1]:8"]),
        ({"host": "h", "conn_type": "http"}, ["http://h:8083"]),
    ],
)
def test_addresses_are_those_of_the_fields(read, fields, addresses):
    assert [*read(**fields).addresses] == addresses


def test_login_and_extras_are_taken(read):
    extra = {"verify": False, "cert": ["c.pem", "k.pem"], "headers": {"a": 1}, "timeout": "5"}
    found = read(login="ann", password=SECRET, extra=extra)

    assert (found.login, found.password, found.verify, found.cert) == ("ann", SECRET, False, ("c.pem", "k.pem"))
    assert (found.headers, found.timeout) == ({"a": "1"}, 5.0)
    assert read(extra={"verify": "false", "cert": "c.pem"}).verify is False
    assert read(extra={"verify": "/ca.pem", "cert": "c.pem, k.pem"}).cert == ("c.pem", "k.pem")
    empty = read(extra=dict.fromkeys(("verify", "cert", "headers", "timeout"), ""))
    assert (empty.verify, empty.cert, empty.headers, empty.timeout) == (True, None, {}, 30.0)
    assert read(conn_type="http", extra={"X-Key": "v", "timeout": 3}).headers == {"X-Key": "v"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"conn_type": "kafka"}, "must be of type 'kafka_connect' or 'http'"),
        ({"host": ""}, "has no host"),
        ({"host": "ftp://h"}, "host of connection 'k' must be"),
        ({"host": f"http://u:{SECRET}@h"}, "host of connection 'k' must be"),
        ({"host": "h:port"}, "host of connection 'k' must be"),
        ({"schema": "kafka"}, "schema of connection 'k' must be"),
        ({"extra": {"verfy": True}}, "'verfy', which is not known"),
        ({"extra": {"timeout": 0}}, "`timeout`"),
        ({"extra": {"timeout": "soon"}}, "`timeout`"),
        ({"extra": {"headers": ["a"]}}, "`headers`"),
        ({"extra": {"cert": {"a": 1}}}, "`cert`"),
        ({"extra": {"cert": ["a", "b", "c"]}}, "`cert`"),
    ],
)
def test_a_connection_that_can_not_be_used_is_refused_without_its_secrets(read, fields, said):
    with pytest.raises(ConfigurationError) as raised:
        read(password=SECRET, **fields)

    assert said in str(raised.value)
    assert SECRET not in str(raised.value)


def test_airflow_finds_the_hook_and_its_test_says_what_is_wrong(monkeypatch):
    hook = Connection(conn_id="k", conn_type="kafka_connect").get_hook()
    assert (type(hook), hook.connect_conn_id) == (KafkaConnectHook, "k")

    monkeypatch.setattr("airflow_legacy_events.hooks.connect._TEST_SECONDS", 0.2)
    monkeypatch.setenv("AIRFLOW_CONN_K", json.dumps({"conn_type": "kafka_connect", "host": "127.0.0.1:1"}))
    reached, text = hook.test_connection()
    assert not reached
    assert "http://127.0.0.1:1" in text
    assert "'k'" not in text


def test_a_client_counts_down_from_now(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_K", json.dumps({"conn_type": "kafka_connect", "host": "h"}))
    with KafkaConnectHook("k").get_client(dt.timedelta(seconds=9)) as client:
        assert 8 < client.deadline.remaining <= 9
