"""The link from a task to the newest message of its topic."""

import logging

import pytest

from airflow_legacy_events.operators.links import TopicLink
from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from tests.airflow import metadata

TEMPLATE = "https://kafka.example/{bootstrap}/{topic}?at={partition}:{offset}"


@pytest.fixture
def link(broker, topic, monkeypatch):
    """Returns a function that gives the link of a task on `topic` under a template."""

    def link(template):
        if template is not None:
            monkeypatch.setenv("AIRFLOW__LEGACY_EVENTS__TOPIC_URL_TEMPLATE", template)
        operator = IncrementalQueryOperator(
            task_id="publish", source_conn_id="c", table="t", watermark_columns=["id"], topic=topic
        )
        with metadata.as_task():
            return TopicLink().get_link(operator, ti_key=None)

    return link


def send(broker, topic, partition, value):
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": broker.kafka.bootstrap})
    producer.produce(topic, value, partition=partition)
    assert producer.flush(30) == 0


def test_without_a_template_there_is_no_link(link):
    assert link(None) == ""


def test_topics_that_rows_name_have_no_link(broker, monkeypatch):
    monkeypatch.setenv("AIRFLOW__LEGACY_EVENTS__TOPIC_URL_TEMPLATE", TEMPLATE)
    operator = OutboxDrainOperator(task_id="drain", source_conn_id="c", table="outbox")

    with metadata.as_task():
        assert TopicLink().get_link(operator, ti_key=None) == ""


def test_a_topic_without_messages_has_no_link_to_one_but_to_itself(link, topic):
    assert link(TEMPLATE) == ""
    assert link("https://kafka.example/{topic}") == f"https://kafka.example/{topic}"


def test_it_leads_to_the_newest_message_of_all_partitions(broker, link, topics, topic):
    from confluent_kafka.admin import NewPartitions

    broker.kafka.admin.create_partitions([NewPartitions(topic, 2)])[topic].result(30)
    send(broker, topic, 0, b"a")
    send(broker, topic, 0, b"b")
    send(broker, topic, 1, b"c")
    address = broker.kafka.bootstrap.replace(":", "%3A")
    assert link(TEMPLATE) == f"https://kafka.example/{address}/{topic}?at=1:0"
    send(broker, topic, 0, b"d")

    assert link(TEMPLATE) == f"https://kafka.example/{address}/{topic}?at=0:2"


def test_a_broker_that_is_away_costs_the_link_and_no_error(link, caplog):
    metadata.put_connection("kafka_default", conn_type="kafka", extra='{"bootstrap.servers": "127.0.0.1:1"}')
    with caplog.at_level(logging.INFO):
        assert link(TEMPLATE) == ""

    assert "no link to topic" in caplog.text


def test_airflow_offers_the_link_of_an_operator_of_ours():
    from airflow.providers_manager import ProvidersManager

    assert "airflow_legacy_events.operators.links.TopicLink" in ProvidersManager().extra_links_class_names
