import json

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.hooks.broker import EventBrokerHook


def test_a_reader_is_that_of_the_connections_type(monkeypatch):
    extra = {"bootstrap.servers": "SASL_SSL://kafka-1:9092,kafka-2:9092", "group.id": "g", "acks": "1", "retries": 3}
    monkeypatch.setenv("AIRFLOW_CONN_SOME_KAFKA", json.dumps({"conn_type": "kafka", "extra": extra}))
    assert EventBrokerHook("some_kafka").get_reader().bootstrap == "kafka-1:9092"


def test_a_type_without_a_reader_is_named(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SOME_DATABASE", json.dumps({"conn_type": "postgres", "host": "h"}))
    with pytest.raises(ConfigurationError, match="connection 'some_database': type 'postgres' is not known"):
        EventBrokerHook("some_database").get_reader()
