import pytest

from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.hooks.registry import BROKERS, ENVELOPES, LOG_ENVELOPES, make_envelope, resolve


class Envelope:
    def compile(self, shape, stream):
        raise NotImplementedError


def test_every_registered_name_is_a_class_with_its_port():
    assert {name: type(make_envelope(name)).__name__ for name in ENVELOPES} == {
        "cloudevents": "CloudEventsEnvelope",
        "plain": "PlainEnvelope",
    }
    assert {name: type(make_envelope(name, LOG_ENVELOPES)).__name__ for name in {*LOG_ENVELOPES} - {*ENVELOPES}} == {
        "debezium": "DebeziumEnvelope",
        "maxwell": "MaxwellEnvelope",
    }
    assert {name: resolve(path).__name__ for name, path in BROKERS.items()} == {"kafka": "kafka_broker"}


def test_an_object_with_the_port_is_taken_as_it_is():
    envelope = Envelope()

    assert make_envelope(envelope) is envelope


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("debezium", "envelope 'debezium' is not known; known: cloudevents, plain"),
        ("avro", "envelope 'avro' is not known; known: cloudevents, plain"),
        (7, r"one of cloudevents, plain, or an object with the method compile.*found a int"),
        (Envelope, "found the class Envelope itself"),
    ],
)
def test_anything_else_is_refused_with_what_is_possible(asked, message):
    with pytest.raises(ConfigurationError, match=message):
        make_envelope(asked)
