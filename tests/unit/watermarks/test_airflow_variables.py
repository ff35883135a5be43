"""Absent, unreadable and shadowed are three things, though Airflow answers all of them with "not found"."""

import datetime as dt
import os
import sys
import uuid

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.errors import WatermarkError
from airflow_legacy_events.watermarks import airflow_variables
from airflow_legacy_events.watermarks.airflow_variables import ALIVE_KEY, variable_key
from airflow_legacy_events.watermarks.variable import PREFIX, VariableWatermarkStore
from tests.airflow import metadata

MARK = Watermark(("42",), None, {"run": "r1"})


class Unreliable:
    """The supervisor's channel, failing for some messages as Airflow does when its API server can't be reached."""

    def __init__(self, inner, fails):
        self.inner, self.fails, self.seen = inner, fails, []

    def send(self, message):
        from airflow.sdk.exceptions import ErrorType
        from airflow.sdk.execution_time.comms import ErrorResponse

        self.seen.append((type(message).__name__, getattr(message, "key", None)))
        if self.fails(*self.seen[-1]):
            if type(message).__name__ == "GetVariable":
                return ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": 503})
            raise ConnectionError("the API server is gone")
        return self.inner.send(message)


@pytest.fixture
def stream():
    return f"crm.orders@{uuid.uuid4()}"


@pytest.fixture
def channel():
    """Returns a function that lets some messages of this task fail, and the messages seen."""
    from airflow.sdk.execution_time.supervisor import set_supervisor_comms

    with metadata.as_task():
        real = sys.modules["airflow.sdk.execution_time.task_runner"].SUPERVISOR_COMMS
        unreliable = Unreliable(real, lambda kind, key: False)
        with set_supervisor_comms(unreliable):
            yield unreliable


def test_absence_is_believed_after_a_variable_was_written_and_read_back(channel, stream):
    assert VariableWatermarkStore().load(stream) is None

    key = PREFIX + stream
    assert [seen for seen in channel.seen if seen[0] in {"GetVariable", "PutVariable"}] == [
        ("GetVariable", key),
        ("PutVariable", ALIVE_KEY),
        ("GetVariable", ALIVE_KEY),
        ("GetVariable", key),
    ]


def test_reading_what_is_there_is_one_request(channel, stream):
    VariableWatermarkStore().save(stream, MARK, expected=None)
    channel.seen.clear()
    VariableWatermarkStore().load(stream)

    assert [kind for kind, _ in channel.seen if kind != "MaskSecret"] == ["GetVariable"]


def test_saving_on_is_a_look_and_a_write(channel, stream):
    store = VariableWatermarkStore()
    store.save(stream, MARK, expected=None)
    channel.seen.clear()
    store.save(stream, Watermark(("43",), None, {}), expected=MARK)

    assert [kind for kind, _ in channel.seen if kind != "MaskSecret"] == ["GetVariable", "PutVariable"]


def test_a_look_that_fails_is_followed_by_one_that_tells_why(channel, stream):
    store = VariableWatermarkStore()
    store.save(stream, MARK, expected=None)
    channel.fails = lambda kind, key: kind == "GetVariable"
    with pytest.raises(WatermarkError, match="can't be read at the moment") as failed:
        store.save(stream, Watermark(("43",), None, {}), expected=MARK)
    assert failed.value.retry_helps

    channel.fails, answers = (lambda kind, key: kind == "GetVariable" and next(answers)), iter([True, False])
    store.save(stream, Watermark(("43",), None, {}), expected=MARK)
    channel.fails = lambda kind, key: False
    assert store.load(stream).values == ("43",)


@pytest.mark.parametrize("reach", [metadata.as_task, metadata.as_server], ids=["task", "command line"])
def test_a_look_before_a_save_asks_no_secrets_backend(stream, secrets_backend, reach, caplog):
    with reach():
        store = VariableWatermarkStore()
        store.save(stream, MARK, expected=None)
        secrets_backend("no JSON")
        store.save(stream, Watermark(("43",), None, {}), expected=MARK)
        store.save(stream, Watermark(("44",), None, {}), expected=Watermark(("43",), None, {}))
        assert "could not be queried" not in caplog.text
        assert store.load(stream).values == ("44",)


def test_variables_that_can_not_be_read_are_no_absence(channel, stream):
    VariableWatermarkStore().save(stream, MARK, expected=None)
    channel.fails = lambda kind, key: kind == "GetVariable"

    with pytest.raises(WatermarkError, match="can't be read at the moment") as failed:
        VariableWatermarkStore().load(stream)

    assert failed.value.retry_helps


def test_variables_that_can_neither_be_written_are_no_absence(channel, stream):
    channel.fails = lambda kind, key: True

    with pytest.raises(WatermarkError, match=f"Variable '{ALIVE_KEY}' could not be written") as failed:
        VariableWatermarkStore().load(stream)

    assert failed.value.retry_helps


def test_one_lost_answer_does_not_hide_a_watermark(channel, stream):
    VariableWatermarkStore().save(stream, MARK, expected=None)
    answers = iter([True, False, False])
    channel.fails = lambda kind, key: kind == "GetVariable" and next(answers)

    assert VariableWatermarkStore().load(stream) == MARK


def test_a_save_that_was_taken_though_its_answer_was_lost_can_be_repeated(channel, stream):
    store = VariableWatermarkStore()
    store.save(stream, MARK, expected=None)
    taken = Watermark(("43",), None, {"run": "r1"})
    channel.fails = lambda kind, key: kind == "PutVariable"
    with pytest.raises(WatermarkError, match="could not be written"):
        store.save(stream, taken, expected=MARK)
    channel.fails = lambda kind, key: False
    VariableWatermarkStore().save(stream, taken, expected=MARK)

    store.save(stream, taken, expected=MARK)

    assert store.load(stream) == taken


def test_after_a_failed_save_the_next_one_verifies_again(channel, stream):
    store = VariableWatermarkStore()
    store.save(stream, MARK, expected=None)
    channel.fails = lambda kind, key: kind == "PutVariable"
    with pytest.raises(WatermarkError):
        store.save(stream, Watermark(("43",), None, {}), expected=MARK)
    channel.fails = lambda kind, key: False
    VariableWatermarkStore().save(stream, Watermark(("99",), None, {"person": "ann"}), expected=MARK)

    with pytest.raises(WatermarkError, match="is one by person 'ann'"):
        store.save(stream, Watermark(("44",), None, {}), expected=MARK)


def test_a_deletion_that_fails_is_an_error(channel, stream):
    channel.fails = lambda kind, key: kind == "DeleteVariable"

    with pytest.raises(WatermarkError, match="could not be deleted: the API server is gone"):
        VariableWatermarkStore().forget(stream)


def test_an_access_that_is_denied_is_an_error(channel, stream):
    from airflow.sdk.exceptions import ErrorType
    from airflow.sdk.execution_time.comms import ErrorResponse

    send = channel.send
    channel.send = lambda message: (
        ErrorResponse(error=ErrorType.PERMISSION_DENIED) if type(message).__name__ == "GetVariable" else send(message)
    )

    with pytest.raises(WatermarkError, match="could not be read: Access denied"):
        VariableWatermarkStore().load(stream)


def test_an_environment_variable_in_front_is_refused_by_name(channel, stream, monkeypatch):
    name = "AIRFLOW_VAR_" + (PREFIX + stream).upper()
    monkeypatch.setenv(name, "anything")

    with pytest.raises(WatermarkError, match=r"the environment variable AIRFLOW_VAR_LEGACY_EVENTS\.WAT"):
        VariableWatermarkStore().load(stream)
    assert os.environ[name] == "anything"


@pytest.fixture
def secrets_backend(tmp_path, monkeypatch):
    """Returns a function that puts Airflow's own file backend, with some Variables, in front of the database."""
    from airflow.sdk import configuration

    # Airflow 3.3 keeps the backends of a process.
    forget = getattr(configuration, "clear_secrets_backends_cache", lambda: None)

    def install(text):
        file = tmp_path / "variables.json"
        file.write_text(text)
        monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "airflow.secrets.local_filesystem.LocalFilesystemBackend")
        monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", f'{{"variables_file_path": "{file}"}}')
        forget()

    yield install
    forget()


@pytest.mark.parametrize("reach", [metadata.as_task, metadata.as_server], ids=["task", "command line"])
def test_a_secrets_backend_in_front_is_refused_by_name(stream, secrets_backend, reach):
    with reach():
        VariableWatermarkStore().save(stream, MARK, expected=None)
        secrets_backend(f'{{"{PREFIX}{stream}": "anything"}}')

        with pytest.raises(WatermarkError, match="the secrets backend LocalFilesystemBackend answers for Variable"):
            VariableWatermarkStore().load(stream)


def test_a_secrets_backend_that_holds_nothing_of_ours_is_no_matter(stream, secrets_backend, channel):
    secrets_backend('{"other": "anything"}')
    VariableWatermarkStore().save(stream, MARK, expected=None)

    assert VariableWatermarkStore().load(stream) == MARK


def test_a_secrets_backend_that_fails_is_passed_over_as_airflow_does(stream, secrets_backend, channel, caplog):
    secrets_backend("no JSON")
    VariableWatermarkStore().save(stream, MARK, expected=None)

    assert VariableWatermarkStore().load(stream) == MARK
    assert f"secrets backend LocalFilesystemBackend could not be queried for Variable {PREFIX}{stream}" in caplog.text


def test_the_cache_of_the_sdk_serves_no_old_watermark(channel, stream, monkeypatch):
    from airflow.sdk import SecretCache

    # What SecretCache.init() sets, without the process that shares it.
    monkeypatch.setattr(SecretCache, "_cache", {})
    monkeypatch.setattr(SecretCache, "_ttl", dt.timedelta(minutes=15), raising=False)
    store = VariableWatermarkStore()
    store.save(stream, MARK, expected=None)
    assert store.load(stream) == MARK
    assert SecretCache.get_variable(PREFIX + stream)
    metadata.put_variable(PREFIX + stream, '{"version": 1, "values": null, "facts": {"moved": "elsewhere"}}')

    assert store.load(stream) == Watermark(None, None, {"moved": "elsewhere"})


@pytest.mark.parametrize(
    ("stream", "key"),
    [
        ("legacy_crm.orders@legacy.orders", "p.legacy_crm.orders@legacy.orders"),
        ('crm."Order Lines"@t', "p.crm.~22Order~20Lines~22@t"),
        ("a?b#c%3F/../ü~", "p.a~3Fb~23c~253F~2F..~2F~C3~BC~7E"),
    ],
)
def test_characters_that_airflow_would_change_are_encoded(stream, key):
    assert variable_key("p.", stream) == key


def test_a_long_name_fills_the_column_and_ends_in_a_hash():
    key = variable_key("p.", "x" * 249)

    assert len(key) == airflow_variables.LONGEST_KEY == 250
    assert key[:233] == "p." + "x" * 231
    assert key[233] == "~"
    assert variable_key("p.", "x" * 248) == "p." + "x" * 248
