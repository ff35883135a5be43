import pytest

from airflow_legacy_events.core.ports import WatermarkStore
from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.hooks.registry import BROKERS, ENVELOPES, STORES, make_envelope, make_store, resolve
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from tests.airflow import metadata


class Envelope:
    def compile(self, shape, stream):
        raise NotImplementedError


def test_every_registered_name_is_a_class_with_its_port():
    assert {name: type(make_envelope(name)).__name__ for name in ENVELOPES} == {
        "cloudevents": "CloudEventsEnvelope",
        "plain": "PlainEnvelope",
    }
    assert {name: resolve(path).__name__ for name, path in STORES.items()} == {
        "asset": "AssetWatermarkStore",
        "table": "TableWatermarkStore",
        "variable": "VariableWatermarkStore",
        "xcom": "XComWatermarkStore",
    }
    assert isinstance(make_store("variable")[1], WatermarkStore)
    assert {name: resolve(path).__name__ for name, path in BROKERS.items()} == {"kafka": "KafkaBroker"}


def test_an_object_with_the_port_is_taken_as_it_is():
    envelope, store = Envelope(), MemoryWatermarkStore()

    assert make_envelope(envelope) is envelope
    assert make_store(store) == ("airflow_legacy_events.watermarks.memory.MemoryWatermarkStore", store)


def test_the_default_store_keeps_variables():
    assert make_store(None)[0] == "variable"


@pytest.mark.parametrize(
    ("make", "asked", "message"),
    [
        (make_envelope, "avro", "envelope 'avro' is not known; known: cloudevents, plain"),
        (make_store, "redis", "watermark_store 'redis' is not known; known: asset, table, variable, xcom"),
        (
            make_envelope,
            7,
            r"one of cloudevents, plain, or an object with the method compile.*found a int",
        ),
        (make_envelope, Envelope, "found the class Envelope itself"),
        (
            make_store,
            Envelope(),
            r"watermark_store must be one of asset, table, variable, xcom, or an object with the methods load",
        ),
        (make_store, "table", "needs a connection: write 'table:<conn_id>'"),
        (make_store, "variable:x", "'variable:x' has a detail that only 'table:<conn_id>' takes"),
        (make_store, "xcom", "belong to one task, and none was named"),
        (make_store, MemoryWatermarkStore, "found the class MemoryWatermarkStore itself"),
    ],
)
def test_anything_else_is_refused_with_what_is_possible(make, asked, message):
    with pytest.raises(ConfigurationError, match=message):
        make(asked)


@pytest.mark.parametrize(("asked", "configured"), [("table:crm", ""), ("table", "crm")])
def test_a_table_is_registered_under_its_connection(monkeypatch, tmp_path, asked, configured):
    monkeypatch.setenv("AIRFLOW__LEGACY_EVENTS__WATERMARK_TABLE_CONN_ID", configured)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", f'{{"conn_type": "sqlite", "host": "{tmp_path}/w.db"}}')
    with metadata.as_server():
        assert make_store(asked)[0] == "table:crm"
