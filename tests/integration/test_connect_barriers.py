"""Barriers: sinks, and what can never be known to have caught up."""

import threading

import pytest
from airflow.sdk.exceptions import AirflowSensorTimeout
from confluent_kafka import Producer

from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.sensors.connect import ConnectorCaughtUpSensor
from tests.services.base import wait_until
from tests.support import connectors
from tests.support.connector_shops import caught_up, shop_of
from tests.support.connectors import JDBC_SINK, red

WITH_SCHEMAS = {
    f"{part}_converter{more}": value
    for part in ("key", "value")
    for more, value in (("", "org.apache.kafka.connect.json.JsonConverter"), ("_schemas_enable", "true"))
}
BY_BROKER = {"source_conn_id": None, "broker_conn_id": "kafka_of_tests"}


@pytest.fixture(scope="module")
def shop(request, kafka):
    with shop_of(request, "postgres", kafka.bootstrap) as found:
        yield found


@pytest.fixture
def ways(shop, connect, kafka, monkeypatch):
    """The connections of the sensor."""
    connectors.connection(monkeypatch, connect.url)
    connectors.database_connection(monkeypatch, shop.database.url, shop.conn_type)
    connectors.database_connection(monkeypatch, shop.database.server.url("postgres"), "postgres", "elsewhere")
    connectors.broker_connection(monkeypatch, kafka.bootstrap)


def stopped(connect, name, config):
    """Make a connector that is stopped."""
    texts = {key: str(value) for key, value in config.items()}
    body = {"name": name, "config": texts, "initial_state": "STOPPED"}
    connect.client.post("/connectors", json=body).raise_for_status()
    wait_until(lambda: connect.status(name) is not None, f"connector {name} being known")


def sink(shop, topic, **changed):
    """A sink into the shop's own database; underscores in `changed` stand for dots."""
    server = shop.config("any")
    url = f"jdbc:postgresql://{server['database.hostname']}:{server['database.port']}/{shop.database.name}"
    given = {
        "connector.class": JDBC_SINK,
        "connection.url": url,
        "connection.username": server["database.user"],
        "connection.password": server["database.password"],
        "insert.mode": "upsert",
        "primary.key.mode": "record_key",
        "collection.name.format": "orders_copy",
        "schema.evolution": "basic",
        "consumer.override.metadata.max.age.ms": 500,
        "topics": topic,
        **connectors.dotted(WITH_SCHEMAS | changed),
    }
    return {key: value for key, value in given.items() if value is not None}


def copied(shop):
    return shop.database.execute("SELECT id, note FROM orders_copy ORDER BY id")


def test_from_table_to_table_both_sensors_leave_nothing_out(shop, ways, connector, connect, front, monkeypatch):
    source, target = connector(), connector()
    connect.begin(source, shop.config(source, **WITH_SCHEMAS))
    connect.wait_running(source)
    for number in range(2):
        shop.database.execute(f"INSERT INTO orders VALUES ({number}, 'x{number}')")
        caught_up(source)
        if not number:
            connect.begin(target, sink(shop, shop.topic(source)))
        wait_until(lambda: connect.status(target) is not None, "the sink being known")
        report = caught_up(target, **BY_BROKER)
        assert copied(shop) == [(one, f"x{one}") for one in range(number + 1)]
        ends = report["target"][shop.topic(source)]["0"]
        assert report["reached"][shop.topic(source)]["0"] <= ends, "records of control lie behind the last one"

    def above(request, body):
        """Offsets that the sink itself sets back as soon as it has met the end of the topic."""
        if request.path == f"/connectors/{target}/offsets":
            body["offsets"][0]["offset"]["kafka_offset"] = 99_999
        return body

    front.change = above
    connectors.connection(monkeypatch, front.url)
    with red("offset 99999 of connector"):
        caught_up(target, **BY_BROKER)


def test_a_topic_with_records_and_without_an_offset_is_not_reached(shop, ways, connector, connect, topics):
    prefix, name = topics.name(), connector()
    topics.make(f"{prefix}.empty")
    connect.begin(name, sink(shop, None, topics_regex=f"{prefix}\\..*", consumer_override_metadata_max_age_ms=300_000))
    connect.wait_running(name)
    assert caught_up(name, **BY_BROKER)["target"] == {f"{prefix}.empty": {"0": 0}}

    new = topics.make(f"{prefix}.new")
    producer = Producer({"bootstrap.servers": topics.kafka.bootstrap})
    producer.produce(new, b"1")
    producer.flush(30)
    with red(f"1 partitions have records that it did not take in: {new}-0 at no offset", AirflowSensorTimeout):
        caught_up(name, **BY_BROKER, timeout=2)


def test_dead_letters_are_in_the_report_of_a_sink_that_tolerates_errors(shop, ways, connector, connect, topics):
    topic, dead, name = topics.make(), topics.make(), connector()
    tolerant = {"errors_tolerance": "all", "errors_deadletterqueue_topic_name": dead}
    config = sink(shop, topic, errors_deadletterqueue_topic_replication_factor=1, **tolerant)
    stopped(connect, name, config)
    producer = Producer({"bootstrap.servers": topics.kafka.bootstrap})
    producer.produce(topic, b"no JSON")
    producer.flush(30)
    with red("can lose records while its offset passes them"):
        caught_up(name, **BY_BROKER)
    timer = threading.Timer(1, connect.client.put, [f"/connectors/{name}/resume"])
    timer.start()

    report = caught_up(name, **BY_BROKER, allow_loss=True, timeout=100)
    timer.join()
    assert (report["reached"], report["dead_letters"]) == ({topic: {"0": 1}}, 1)


def test_a_broker_of_another_cluster_is_refused(shop, ways, connector, connect, topic, front, monkeypatch):
    name = connector()
    stopped(connect, name, sink(shop, topic))
    front.change = lambda request, body: {**body, "kafka_cluster_id": "another"} if request.path == "/" else body
    connectors.connection(monkeypatch, front.url)

    with red("leads to Kafka cluster"):
        caught_up(name, **BY_BROKER)


def test_a_connector_that_can_lose_records_is_refused(shop, ways, connector, connect, topic):
    name = connector()
    stopped(connect, name, shop.config(name, errors_tolerance="all"))
    with red("can lose records while its offset passes them: correct its config, or set allow_loss=True"):
        caught_up(name)
    with red("not yet, connector STOPPED", AirflowSensorTimeout):
        caught_up(name, allow_loss=True, timeout=1)


@pytest.mark.parametrize(
    ("changed", "arguments", "text"),
    [
        ({"snapshot_mode": "initial_only"}, {}, "nothing streams after its snapshot"),
        ({"message_prefix_include_list": "crm.*"}, {}, "let its prefix 'legacy-events' pass message.prefix.include"),
        ({"message_prefix_exclude_list": "legacy.*"}, {}, "let its prefix 'legacy-events' pass message.prefix.exclude"),
        ({"plugin_name": "decoderbufs"}, {}, "nudge='auto' needs a signal table"),
        ({}, BY_BROKER, "broker_conn_id= has no effect, since connector"),
        ({}, {"source_conn_id": "elsewhere"}, "leads to database 'postgres', but connector"),
    ],
)
def test_what_can_not_be_known_is_refused(shop, ways, connector, connect, changed, arguments, text):
    name = connector()
    stopped(connect, name, shop.config(name, **changed))
    with red(text):
        caught_up(name, **arguments)


def test_a_failed_connector_is_red_at_once_and_a_missing_one_too(shop, ways, connector, connect):
    with red("there is no connector 'nobody'"):
        caught_up("nobody")
    name = connector()
    connect.begin(name, sink(shop, "of-no-topic-77", connection_password="wrong", insert_mode="bogus"))
    wait_until(lambda: connect.failure(name) is not None, "the sink failing")
    with red("FAILED: remove the cause, then restart it"):
        caught_up(name, **BY_BROKER)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "exactly one of source_conn_id= and broker_conn_id= must be given.*found neither"),
        ({"source_conn_id": "a", "broker_conn_id": "b"}, "found both"),
        ({"source_conn_id": "a", "mode": "reschedule"}, "mode='reschedule' forgets what was committed"),
        ({"source_conn_id": "a", "nudge": "always"}, "nudge= must be one of 'auto', 'never'"),
    ],
)
def test_wrong_arguments_stop_the_dag_from_being_loaded(arguments, text):
    with pytest.raises(ConfigurationError, match=text):
        ConnectorCaughtUpSensor(task_id="wait", connector="c", **arguments)
