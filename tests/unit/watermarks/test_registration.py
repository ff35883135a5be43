import json
import uuid

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.errors import WatermarkError
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.registration import (
    PREFIX,
    Registration,
    StreamRegistration,
    read_registration,
    remove_registration,
    write_registration,
)
from tests.airflow import metadata
from tests.support.registered import Registered

EMPTY = Watermark(None, None, {"run": "r1"})
MARK = Watermark(("42",), None, {"run": "r1"})
BROKEN = json.dumps({"store": ["memory"], "since": "", "dag": None, "task": None})


@pytest.fixture(autouse=True)
def _in_a_task():
    with metadata.as_task():
        yield


@pytest.fixture
def stream():
    return f"crm.orders@{uuid.uuid4()}"


def registered(inner, name="memory", dag="shop", task="publish"):
    return Registered(inner, name=name, dag=dag, task=task)


class Failing(MemoryWatermarkStore):
    """A store that takes nothing."""

    def save(self, stream, new, *, expected):
        raise WatermarkError("no")


def test_a_new_stream_is_registered_once_its_first_watermark_is_saved(stream):
    store = registered(MemoryWatermarkStore())
    assert store.load(stream) is None
    assert read_registration(stream) is None

    store.save(stream, EMPTY, expected=None)

    found = read_registration(stream)
    assert found == Registration("memory", found.since, "shop", "publish")
    assert found.since.endswith("+00:00")


def test_a_stream_whose_first_save_failed_is_not_registered(stream):
    with pytest.raises(WatermarkError):
        registered(Failing()).save(stream, EMPTY, expected=None)

    assert read_registration(stream) is None


def test_a_registration_never_changes(stream):
    inner = MemoryWatermarkStore()
    registered(inner).save(stream, EMPTY, expected=None)
    text = metadata.variables()[PREFIX + stream]
    later = registered(inner, dag="other", task="other")
    later.save(stream, MARK, expected=later.load(stream))

    assert metadata.variables()[PREFIX + stream] == text


def test_an_empty_watermark_lets_the_first_run_go_on(stream):
    inner = MemoryWatermarkStore()
    registered(inner).save(stream, EMPTY, expected=None)

    assert registered(inner).load(stream) == EMPTY


def test_a_watermark_that_is_gone_is_lost_and_not_a_first_run(stream):
    registered(MemoryWatermarkStore()).save(stream, MARK, expected=None)

    with pytest.raises(WatermarkError) as lost:
        registered(MemoryWatermarkStore()).load(stream)

    message = str(lost.value)
    assert "by dag 'shop', task 'publish'" in message
    assert f"`airflow legacy-events watermark set {stream} VALUE... --source-conn-id CONN_ID`" in message
    assert f"`airflow legacy-events watermark forget {stream}`" in message
    assert not lost.value.retry_helps


def test_a_watermark_that_goes_under_a_running_writer_is_lost_too(stream):
    inner = MemoryWatermarkStore()
    store = registered(inner)
    store.save(stream, MARK, expected=None)
    inner.forget(stream)

    with pytest.raises(WatermarkError, match="it is lost"):
        store.load(stream)


def test_a_stream_that_is_forgotten_under_a_waiting_reader_begins_anew(stream):
    inner = MemoryWatermarkStore()
    store = registered(inner)
    store.save(stream, MARK, expected=None)
    registered(inner).forget(stream)

    assert store.load(stream) is None


def test_a_stream_that_begins_while_a_reader_looks_for_it_is_not_lost(stream):
    class BeginsMeanwhile(MemoryWatermarkStore):
        def load(self, stream):
            found = super().load(stream)
            if found is None:
                registered(inner).save(stream, EMPTY, expected=None)
            return found

    inner, reader = MemoryWatermarkStore(), BeginsMeanwhile()
    looked = StreamRegistration(stream, reader, name="memory", reads_only=True)

    assert looked.load() is None
    assert read_registration(stream) is not None


def test_a_stream_that_is_moved_under_a_waiting_reader_is_told_to_lie_elsewhere(stream):
    inner = MemoryWatermarkStore()
    store = registered(inner)
    store.save(stream, MARK, expected=None)
    write_registration(stream, read_registration(stream)._replace(store="table:crm_state"))
    inner.forget(stream)

    with pytest.raises(WatermarkError, match="is in store 'table:crm_state'"):
        store.load(stream)


def test_a_watermark_whose_registration_was_never_written_is_registered_now(stream):
    inner = MemoryWatermarkStore()
    inner.save(stream, EMPTY, expected=None)

    assert registered(inner).load(stream) == EMPTY
    assert read_registration(stream).dag == "shop"


def test_another_store_is_refused_by_both_names(stream):
    inner = MemoryWatermarkStore()
    registered(inner).save(stream, EMPTY, expected=None)

    with pytest.raises(WatermarkError, match=r"is in store 'memory' since .*, but this run uses store 'table'"):
        registered(inner, name="table").load(stream)


def test_a_stream_whose_registration_was_removed_begins_anew(stream):
    registered(MemoryWatermarkStore()).save(stream, MARK, expected=None)
    remove_registration(stream)

    assert registered(MemoryWatermarkStore()).load(stream) is None


@pytest.mark.parametrize(
    "text", ["nonsense", "[]", json.dumps({"store": "memory"}), "[" * 100_000, '"\\ud800"', BROKEN]
)
def test_a_registration_that_a_person_broke_is_an_error_with_its_remedy(stream, text):
    metadata.put_variable(PREFIX + stream, text)

    with pytest.raises(WatermarkError, match=f"`airflow variables delete {PREFIX}{stream}`"):
        registered(MemoryWatermarkStore()).load(stream)
