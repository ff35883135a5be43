"""Builders of connectors' configs: plain data without secrets, and one clear error for each wrong argument."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest

from airflow_legacy_events.connect import debezium_source, jdbc_sink, outbox_source
from airflow_legacy_events.connect.builders.kinds import KINDS
from airflow_legacy_events.errors import ConfigurationError

SOURCE = {"source_conn_id": "crm", "topic_prefix": "crm", "tables": ["public.orders"]}
OUTBOX = {"source_conn_id": "crm", "topic_prefix": "crm", "table": "public.outbox"}
SINK = {"target_conn_id": "crm", "topics": ["shop.orders"]}


@pytest.mark.parametrize("connector", KINDS)
def test_a_source_of_every_database_is_texts_without_a_secret(connector):
    found = debezium_source(connector, **{**SOURCE, "tables": [KINDS[connector].example]})
    assert found == json.loads(json.dumps(found))
    assert all(isinstance(one, str) for one in found.values())
    assert {value for name, value in found.items() if name.endswith("password")} == {"${airflow:crm:password}"}


def test_names_are_derived_from_the_prefix_and_differ():
    first, second = (
        debezium_source("mariadb", source_conn_id="crm", topic_prefix=name, tables=["shop.orders"])
        for name in ("one", "two")
    )
    for name in ("database.server.id", "schema.history.internal.kafka.topic", "topic.prefix"):
        assert first[name] != second[name]
    slots = {debezium_source(**{**SOURCE, "topic_prefix": name})["slot.name"] for name in ("A.b-c", "d" * 200, "...")}
    assert all(re.fullmatch("[a-z0-9_]{1,63}", one) for one in slots)
    assert len(slots) == 3


def test_properties_have_the_last_word():
    properties = {"slot.name": "mine", "heartbeat.interval.ms": None, "snapshot.x": True}
    found = debezium_source(**SOURCE, properties=properties)
    assert found["slot.name"] == "mine"
    assert "heartbeat.interval.ms" not in found
    assert found["snapshot.x"] == "true"


def test_a_password_that_the_worker_resolves():
    assert debezium_source(**SOURCE, password="${env:CRM}")["database.password"] == "${env:CRM}"
    assert jdbc_sink(**SINK, password="${file:/a:b}")["connection.password"] == "${file:/a:b}"


def test_a_template_of_topics_names_every_table():
    tables = ["public.orders", "sales.lines"]
    found = debezium_source(**{**SOURCE, "tables": tables}, topics="shop.{schema}.{table}")
    assert [found[f"transforms.topic{at}.replacement"] for at in (0, 1)] == ["shop.public.orders", "shop.sales.lines"]
    assert re.fullmatch(found["transforms.topic0.regex"], "crm.public.orders")
    assert not re.fullmatch(found["transforms.topic0.regex"], "crm.publicXorders")


def test_a_signal_table_is_captured_and_answered():
    found = debezium_source(**SOURCE, signal_table="public.signals")
    assert found["table.include.list"] == "public.orders,public.signals"
    assert found["notification.sink.topic.name"] == "crm.notifications"


def test_a_name_is_no_regular_expression():
    found = debezium_source(**{**SOURCE, "tables": ["public.a+b", "public.$x"]})
    assert found["table.include.list"] == r"public.a\+b,public.\$x"


def test_nor_is_that_of_a_database():
    found = debezium_source("mariadb", source_conn_id="crm", topic_prefix="crm", tables=["a+b.orders", "shop.orders"])
    assert found["database.include.list"] == r"a\+b,shop"


def test_the_router_of_an_outbox_sees_the_rows_of_the_outbox_alone():
    found = outbox_source(**{**OUTBOX, "table": "public.Out Box"}, signal_table="public.signals")
    assert found["transforms.outbox.predicate"] == "outbox"
    matches = re.compile(found["predicates.outbox.pattern"]).fullmatch
    assert matches("crm.public.Out_Box")
    assert not any(map(matches, ("crm", "crm.public.signals", "crm.publicXOut_Box")))
    assert not any(name.startswith("notification.") for name in found)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"connector": "informix"}, "connector= must be one of"),
        ({"topic_prefix": "a b"}, "topic_prefix= must be letters"),
        ({"tables": "public.orders"}, "tables= must be a list"),
        ({"tables": []}, "tables= must be a list"),
        ({"tables": ["orders"]}, "tables= needs names such as 'public.orders'"),
        ({"tables": ["public.orders", "public.orders"]}, "names one twice"),
        ({"password": "secret"}, "must be a reference"),
        ({"topics": {"public.lines": "x"}}, "which tables= does not"),
        ({"topics": {"public.orders": "a b"}}, "a topic is letters"),
        ({"topics": "x.{column}"}, "is a template"),
        ({"tables": ["public.a", "public.b"], "topics": "shop"}, "of its own"),
        ({"tables": ["public.a", "public.b"], "topics": {"public.a": "crm.public.b"}}, "of its own"),
        (
            {"tables": ["public.a", "public.b"], "topics": {"public.a": "crm.public.b", "public.b": "x"}},
            "derives for another table",
        ),
        ({"connector": "mysql", "slot_name": "a"}, "are PostgreSQL's"),
        ({"heartbeat": dt.timedelta(-1)}, "heartbeat= must be"),
        ({"topic_partitions": 0}, "topic_partitions= must be"),
        ({"properties": "a=b"}, "properties= must be a mapping"),
    ],
)
def test_a_wrong_argument_of_a_source(change, said):
    with pytest.raises(ConfigurationError, match=re.escape(said)) as error:
        debezium_source(**{**SOURCE, **change})
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"connector": "mongodb"}, "no outbox table"),
        ({"columns": {"kind": "type"}}, "columns= names 'kind'"),
        ({"table": "outbox"}, "tables= needs names"),
    ],
)
def test_a_wrong_argument_of_an_outbox(change, said):
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        outbox_source(**{**OUTBOX, **change})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"insert_mode": "bogus"}, "insert_mode= must be one of"),
        ({"properties": {"insert.mode": "bogus"}}, "insert.mode= must be one of"),
        ({"quote_identifiers": "yes"}, "quote_identifiers= must be one of"),
        ({"key": "id"}, "key= must be one of"),
        ({"key": "record_value"}, "delete=True needs"),
        ({"schema_evolution": "full"}, "schema_evolution= must be one of"),
        ({"topics": []}, "topics= must be a list"),
        ({"properties": {"value.converter.schemas.enable": False}}, "value.converter must keep the schema"),
        ({"properties": {"key.converter.schemas.enable": "False"}}, "key.converter must keep the schema"),
        (
            {"properties": {"value.converter": "org.apache.kafka.connect.storage.StringConverter"}},
            "value.converter must keep the schema",
        ),
        ({"password": "secret"}, "must be a reference"),
    ],
)
def test_a_wrong_argument_of_a_sink(change, said):
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        jdbc_sink(**{**SINK, **change})
