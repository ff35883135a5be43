"""Messages of Debezium beside changes are passed over; any other without an operation is not taken for one."""

import json

import pytest

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder


def read(value):
    received = Received(["t"], [0], [0], [b"1"], [json.dumps(value).encode()], [()], [None])
    return DebeziumDecoder().read(received, 0)


@pytest.mark.parametrize(
    "value",
    [
        {"ts_ms": 1},
        {"source": {}, "databaseName": "crm", "ddl": "CREATE TABLE t (id INT)", "tableChanges": []},
        {"status": "BEGIN", "id": "571", "event_count": None, "data_collections": None, "ts_ms": 1},
        {"status": "END", "id": "571", "event_count": 2, "data_collections": [], "ts_ms": 1},
        {"id": "x", "aggregate_type": "Initial Snapshot", "type": "STARTED", "additional_data": {}, "timestamp": 1},
    ],
)
def test_what_lies_beside_changes_is_passed_over(value):
    assert read(value) is None


@pytest.mark.parametrize(
    "value", [{"id": 1, "a": "x"}, {"id": 1, "status": "new"}, {"after": {"id": 1}}, {"type": "insert"}]
)
def test_a_row_of_another_envelope_is_not_passed_over(value):
    with pytest.raises(NotUnderstoodError, match="no change event of Debezium"):
        read(value)
