"""Offsets that a person writes: what a connector can't have is refused before Kafka Connect takes it."""

import pytest

from airflow_legacy_events.connect.offsets import read_offsets, refuse_outside_topics, refuse_strange
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Bounds, Partition

MARIADB = {"connector.class": "io.debezium.connector.mariadb.MariaDbConnector", "topic.prefix": "crm"}
POSTGRES = {"connector.class": "io.debezium.connector.postgresql.PostgresConnector", "topic.prefix": "crm"}
SINK = {"connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "topics": "shop.orders, shop.lines"}
PATTERN = {"connector.class": "x.Sink", "topics.regex": "shop\\..*"}


def of_source(**offset):
    return [{"partition": {"server": "crm"}, "offset": offset}]


def of_sink(topic, number, offset):
    return [{"partition": {"kafka_topic": topic, "kafka_partition": number}, "offset": {"kafka_offset": offset}}]


@pytest.mark.parametrize(
    ("config", "wanted", "said"),
    [
        (MARIADB, of_source(file="b.000001", pos="4"), "another type in ['pos']"),
        (MARIADB, of_source(file="b.000001", pos=-4), "another type in ['pos']"),
        (MARIADB, of_source(file=5, pos=True), "another type in ['file', 'pos']"),
        (POSTGRES, of_source(lsn="0/16DC42F8"), "another type in ['lsn']"),
        (SINK, of_sink("shop.orders", 0, "1"), "another type in ['kafka_offset']"),
        (SINK, of_sink("shop.orders", 0, -1), "another type in ['kafka_offset']"),
        (SINK, of_sink("shop.orders", "0", 1), "another type in ['kafka_partition']"),
        (SINK, of_sink("shop.other", 0, 1), "does not read topic 'shop.other'"),
        (PATTERN, of_sink("crm.orders", 0, 1), "does not read topic 'crm.orders'"),
    ],
)
def test_what_the_connector_can_not_have_is_refused(config, wanted, said):
    with pytest.raises(ConfigurationError) as error:
        refuse_strange("crm", config, wanted, [])
    assert said in " ".join(str(error.value).split())


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (MARIADB, of_source(file="b.000001", pos=4, gtids="0-1-13")),
        (POSTGRES, of_source(lsn=383533816, txId=744)),
        (SINK, of_sink("shop.lines", 3, 0)),
        (PATTERN, of_sink("shop.lines", 3, 0)),
        (PATTERN | {"topics.regex": "(?<a>shop)\\..*"}, of_sink("shop.lines", 3, 0)),
    ],
)
def test_what_it_can_have_passes(config, wanted):
    refuse_strange("crm", config, wanted, [])


def test_a_partition_that_is_named_twice_is_refused():
    with pytest.raises(ConfigurationError, match="names a partition twice"):
        read_offsets(of_source(lsn=1) + of_source(lsn=2), "offsets=")


def test_a_topic_that_is_not_there_is_named():
    with pytest.raises(ConfigurationError, match="which is not") as error:
        refuse_outside_topics("crm", of_sink("shop.orders", 7, 0), {Partition("shop.orders", 0): Bounds(0, 3)})
    assert "'shop.orders', partition 7" in " ".join(str(error.value).split())
