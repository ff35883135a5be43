"""The arguments of the change log operator: which stop the DAG from being loaded, and what follows from them."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG

from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.envelopes.debezium import DebeziumEnvelope
from airflow_legacy_events.envelopes.maxwell import MaxwellEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.operators.changelog import ChangeLogDrainOperator
from airflow_legacy_events.streams import messages
from airflow_legacy_events.streams.options import StreamOptions

LOG = {"task_id": "drain", "source_conn_id": "legacy_crm", "tables": ["public.orders", "sales.*"]}


def log(**arguments):
    return ChangeLogDrainOperator(**LOG | arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"tables": ["orders"]}, "tables= names 'orders'; name the schema too"),
        ({"slot": "CRM"}, "slot= must be 1 to 63"),
        ({"first_run": "yesterday"}, "first_run= must be one of 'all', 'now'; found 'yesterday'"),
        ({"images": "before"}, "images= must be one of 'after', 'both'"),
        ({"on_truncate": "ignore"}, "on_truncate= must be one of 'fail', 'event', 'skip'"),
        ({"on_schema_change": "warn"}, "on_schema_change= must be one of 'evolve', 'fail'"),
        ({"completeness": "bounded"}, "completeness= must be one of 'best_effort', 'exact'"),
        ({"on_busy": "queue"}, "on_busy= must be one of"),
        ({"envelope": "avro"}, "envelope 'avro' is not known; known: cloudevents, debezium, maxwell, plain"),
        ({"envelope": "maxwell", "event_type": "x"}, "event_type= has no effect with envelope='maxwell'"),
        (
            {"envelope": "maxwell", "decimals": "number"},
            "decimals= has no effect with envelope='maxwell', which writes",
        ),
        ({"envelope": "maxwell", "on_truncate": "event"}, "on_truncate='event' has no effect with envelope='maxwell'"),
        ({"envelope": "maxwell", "images": "after"}, "images='after' does not fit envelope='maxwell': leave it out"),
        ({"envelope": "plain", "event_type": "x"}, "event_type= has no effect with envelope='plain'"),
        ({"envelope": "debezium", "event_type": "x"}, "event_type= has no effect with envelope='debezium'"),
        ({"envelope": "debezium", "times": "naive"}, "times= has no effect with envelope='debezium', which writes"),
        ({"tombstones": "no"}, "tombstones= must be True, False, or left out; found 'no'"),
        ({"envelope": "plain", "tombstones": False}, "tombstones=False has no effect with envelope='plain', whose"),
        ({"decimals": "float"}, "decimals= must be one of"),
        ({"bigints": "int"}, "bigints= must be one of"),
        ({"times": "unix"}, "times= must be one of"),
        ({"bytes": "raw"}, "bytes= must be one of"),
        ({"batch_rows": 0}, "batch_rows= must be a whole number above 0"),
        ({"max_rows": "5"}, "max_rows= must be a whole number above 0"),
        ({"max_row_bytes": 5}, "max_row_bytes= must be a whole number of bytes"),
        ({"statement_timeout": 5}, "statement_timeout= must be a timedelta"),
        ({"delivery_timeout": dt.timedelta(0)}, "delivery_timeout= must be above zero"),
        ({"source_timezone": "Vienna"}, "source_timezone= must be the name of a time zone"),
        ({"source_timezone": "database"}, "source_timezone= must be the name of a time zone"),
        ({"topic_config": {"cleanup.policy": "compact"}}, "topic_config= has no effect without topic_partitions="),
        ({"headers": ["tenant"]}, "headers= must be a dict"),
        ({"tables": [], "message_topics": {}}, "tables= must be a list of tables"),
        ({"transaction_topic": ""}, "transaction_topic= must be one topic without braces, such as 'cdc.transactions'"),
        ({"transaction_topic": "cdc.{table}"}, "transaction_topic= must be one topic without braces"),
        ({"transaction_topic": True}, "transaction_topic= must be one topic without braces"),
        ({"message_topics": ["outbox"]}, "message_topics= must be a dict of prefixes and topics, such as {'outbox': "),
        ({"message_topics": {"": "events"}}, "message_topics= must be a dict of prefixes and topics"),
        ({"message_topics": {5: "events"}}, "message_topics= must be a dict of prefixes and topics"),
        ({"message_topics": {"outbox": ""}}, "message_topics={'outbox': ...} must be a topic, such as 'outbox.event."),
        ({"message_topics": {"outbox": None}}, "message_topics={'outbox': ...} must be a topic"),
        ({"message_topics": {"outbox": "a.{payload}"}}, "names 'payload' in braces; correct it: a message's topic is"),
        ({"message_topics": {"outbox": "a.{"}}, "message_topics={'outbox': ...} is 'a.{', which is not a valid templa"),
    ],
)
def test_a_wrong_argument_stops_the_dag_from_being_loaded(arguments, told):
    with pytest.raises(ConfigurationError) as refused:
        log(**arguments)
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()[0]) <= 250


@pytest.mark.parametrize("tombstones", [None, True, False])
def test_tombstones_reach_the_envelope(tombstones):
    options = StreamOptions.of(log(tombstones=tombstones))
    assert messages.applied(Stream("s", "t", "/s", "s"), options).tombstones is tombstones


@pytest.mark.parametrize(
    ("arguments", "remedies"),
    [
        ({"on_clear": "repeat"}, ['{"snapshot": ["schema.table"]}', "IncrementalQueryOperator"]),
        ({"on_clear": "resume"}, ['{"snapshot": ["schema.table"]}']),
        ({"replay_topic": "again"}, ['{"snapshot": ["schema.table"]}']),
        ({"replay_topics": ["again"]}, ['{"snapshot": ["schema.table"]}']),
        ({"time_column": "at"}, ['{"snapshot": ["schema.table"]}']),
        ({"table": "orders"}, ["tables=['schema.table']"]),
        ({"sql": "SELECT 1"}, ["tables=['schema.table']", "IncrementalQueryOperator"]),
        ({"watermark_columns": ["id"]}, ["IncrementalQueryOperator"]),
        ({"columns": ["id"]}, ["exclude_columns="]),
        ({"stream": "orders"}, ["slot="]),
        ({"row_security": "apply"}, ["leave it out"]),
        ({"lag": dt.timedelta(0)}, ["leave it out"]),
        ({"overlap": dt.timedelta(0)}, ["leave it out"]),
        ({"subject": "{id}"}, ["leave it out"]),
        ({"timestamp_column": "at"}, ["leave it out"]),
    ],
)
def test_an_argument_of_another_operator_says_what_to_do_instead(arguments, remedies):
    with pytest.raises(ConfigurationError, match="ChangeLogDrainOperator has no") as refused:
        log(**arguments)
    assert all(remedy in str(refused.value) for remedy in remedies)


@pytest.mark.parametrize("argument", ["message_topic", "transactions_topic", "no_such_thing"])
def test_what_is_no_argument_is_not_taken_in_silence(argument):
    with pytest.raises(TypeError, match=argument):
        log(**{argument: "x"})


def test_the_stream_is_the_slot_and_a_slot_follows_from_dag_and_task():
    with DAG("crm_orders", schedule=None):
        named, default = log(slot="crm"), log(task_id="other")

    topic = "cdc.{schema}.{table}"
    assert named._spec().stream(topic, "crm_orders", "drain") == Stream(
        "legacy_crm.crm@log", topic, "/legacy_crm", "legacy_crm.changed"
    )
    assert default._spec().stream_name(None) == "legacy_crm.legacy_events_crm_orders_other@log"
    assert default._spec().stream_name(None) == default._spec().stream(topic, "crm_orders", "other").name


def test_what_the_log_is_told_follows_from_the_arguments_and_the_dag():
    with DAG("crm", schedule=dt.timedelta(hours=6)):
        task = log(images="both", publication="theirs")
    spec = task._spec()

    assert spec._options(spec.stream("t", "crm", "drain"))._asdict() == {
        "stream": "legacy_crm.legacy_events_crm_drain@log",
        "dag": "crm",
        "slot": "legacy_events_crm_drain",
        "publication": "theirs",
        "given": True,
        "before": True,
        "messages": (),
        "interval_seconds": 6 * 3600,
    }


def test_the_publication_is_named_as_the_slot():
    with DAG("crm", schedule=None):
        spec = log(slot="s")._spec()
    found = spec._options(spec.stream("t", "crm", "drain"))
    assert (found.publication, found.given, found.interval_seconds) == ("s", False, None)


def test_templates_are_judged_once_they_are_rendered():
    task = log(tables="{{ params.tables }}", slot="s_{{ params.tenant }}", exclude_columns="{{ params.secret }}")
    assert {"tables", "slot", "publication", "key_columns", "exclude_columns"} <= {*task.template_fields}


def test_of_what_a_log_belongs_to_only_its_topic_may_be_accepted():
    spec = type(log()._spec())
    spec.check_accept("s", ("topic",))
    for what in ("server", "position"):
        with pytest.raises(ConfigurationError, match=r"can't be accepted(.|\n)*slots drop"):
            spec.check_accept("s", ("topic", what))


def test_a_watermark_of_a_log_is_neither_moved_nor_counted():
    spec = type(log()._spec())
    with pytest.raises(ConfigurationError, match=r"can't be moved(.|\n)*snapshot"):
        spec.check_move("s")
    with pytest.raises(ConfigurationError, match="slots list"):
        spec.left_by({"slot": "s"}, "s", {})
    with pytest.raises(ConfigurationError, match=r"known by reading it\.$"):
        spec.left_by({}, "s", {})


@pytest.mark.parametrize(
    ("arguments", "images"),
    [
        ({}, "after"),
        ({"images": "both"}, "both"),
        ({"envelope": "debezium"}, "both"),
        ({"envelope": "debezium", "images": "after"}, "after"),
        ({"envelope": DebeziumEnvelope(decimals="string")}, "both"),
        ({"envelope": PlainEnvelope()}, "after"),
        ({"envelope": "maxwell"}, "both"),
        ({"envelope": MaxwellEnvelope()}, "both"),
    ],
)
def test_old_rows_are_read_where_the_envelope_shows_them(arguments, images):
    assert log(**arguments)._spec().images == images


def test_an_envelope_of_logs_is_made_by_its_name():
    task = log(envelope="debezium")
    assert isinstance(task._spec().envelope(task.envelope), DebeziumEnvelope)


def test_messages_have_topics_and_may_be_all_that_is_read():
    topics = {"outbox": "outbox.event.{aggregate_type}", "audit": "audit", "a": "{aggregatetype}.{event_type}.{id}"}
    spec = log(message_topics=topics, tables=[])._spec()
    assert spec.resolved().resolved().message_topics == topics
    assert spec.resolved()._options(Stream("s", "t", "/s", "t")).messages == ("outbox", "audit", "a")
    for late in ("{{ params.topics }}", {"outbox": "{{ params.topic }}"}, {"{{ params.prefix }}": "events"}):
        log(message_topics=late)
    with pytest.raises(ConfigurationError, match="message_topics= must be a dict"):
        log(message_topics="{{ params.topics }}")._spec().resolved()


def test_messages_are_payloads_whatever_the_envelope_of_tables_is():
    assert repr(log(message_topics={"outbox": "events"})._spec().envelope("plain")) == (
        "LoggedEnvelope(tables=PlainEnvelope())"
    )
    assert repr(log()._spec().envelope("plain")) == "PlainEnvelope()"
    assert repr(log(transaction_topic="t")._spec().envelope("plain")) == "TransactionsEnvelope(events=PlainEnvelope())"


def test_events_name_their_transaction_where_transactions_have_a_topic():
    assert log(transaction_topic="{{ params.topic }}")._spec().stream("t", "d", "t").transactions
    assert not log()._spec().stream("t", "d", "t").transactions


@pytest.mark.parametrize("envelope", ["maxwell", MaxwellEnvelope()])
def test_maxwell_marks_snapshots_and_is_for_servers_without_slots(envelope):
    spec = log(envelope=envelope)._spec()
    assert spec.marks_snapshots
    assert isinstance(spec.behind(SimpleNamespace(has_slots=False)).envelope(envelope), MaxwellEnvelope)
    with pytest.raises(ConfigurationError, match=r"^use envelope='debezium' .* leads to PostgreSQL"):
        spec.behind(SimpleNamespace(has_slots=True)).envelope(envelope)
    assert not log(envelope="debezium")._spec().marks_snapshots
