"""What every watermark store keeps, whatever it is made of."""

import itertools
import json
import threading

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import WatermarkStore
from airflow_legacy_events.errors import WatermarkError
from airflow_legacy_events.watermarks.codec import encode
from tests.airflow import metadata
from tests.support import stores

numbers = itertools.count()

EMPTY = Watermark(None, None, {"topic": "legacy.orders", "dag": "d", "task": "t", "run": "r1"})
FIRST = Watermark(
    ("2026-11-23 09:15:02.123456+00", "42"), None, {**EMPTY.facts, "columns": [["a", "b"], ["id", "int"]]}
)
SECOND = Watermark(("ü\n\"'%~\\", "-0"), ([[1, 5], [7, 7]], "0/16B3748"), {"rows": 10**30, "share": 0.1, "none": None})


@pytest.fixture(
    params=[
        pytest.param((stores.memory, None), id="memory"),
        pytest.param((stores.variable, metadata.as_task), id="variable, in a task"),
        pytest.param((stores.variable, metadata.as_server), id="variable, on the command line"),
        pytest.param((stores.registered, metadata.as_task), id="registered variable, in a task"),
        pytest.param(("sqlite", None), id="table in SQLite"),
        pytest.param(("postgres_database", None), id="table in PostgreSQL"),
        pytest.param(("mariadb_database", None), id="table in MariaDB"),
        pytest.param(("mysql_database", None), id="table in MySQL 5.6"),
        pytest.param((stores.asset, metadata.as_task), id="asset, in a task"),
        pytest.param((stores.server_asset, metadata.as_server), id="asset, on the command line"),
        pytest.param((stores.xcom, None), id="xcom"),
        pytest.param((stores.task_state, None), id="task state"),
    ]
)
def place(request):
    make, reach = request.param
    if make == "sqlite":
        yield stores.table(f"sqlite:///{request.getfixturevalue('tmp_path')}/watermarks.db")
        return
    if isinstance(make, str):
        yield stores.table(request.getfixturevalue(make).url)
        return
    if reach is None:
        yield make()
        return
    with reach():
        yield make()


@pytest.fixture
def stream():
    return f"crm.orders@contract.{next(numbers)}"


def test_it_is_a_store(place):
    assert isinstance(place.open(), WatermarkStore)


def test_a_stream_that_was_never_written_has_no_watermark(place, stream):
    assert place.open().load(stream) is None


@pytest.mark.parametrize(
    "mark", [EMPTY, FIRST, SECOND, Watermark((), (), {"columns": []})], ids=["empty", "first", "odd", "bare"]
)
def test_every_later_load_gives_what_was_saved(place, stream, mark):
    store = place.open()
    store.save(stream, mark, expected=None)

    assert store.load(stream) == mark
    assert place.open().load(stream) == mark


def test_the_watermark_of_a_wide_table_has_room(place, stream):
    shape = [[f"a_column_with_a_long_name_{number}", "character varying(255)", True] for number in range(1_600)]
    wide = Watermark(("1",), None, {"shape": shape})
    place.open().save(stream, wide, expected=None)

    assert place.open().load(stream) == wide


def test_a_run_moves_its_watermark_step_by_step(place, stream):
    store = place.open()
    store.save(stream, EMPTY, expected=None)
    store.save(stream, FIRST, expected=EMPTY)
    store.save(stream, SECOND, expected=FIRST)

    assert place.open().load(stream) == SECOND


def test_the_next_run_goes_on_from_what_it_loaded(place, stream):
    place.open().save(stream, FIRST, expected=None)
    later = place.open()
    later.save(stream, SECOND, expected=later.load(stream))

    assert place.open().load(stream) == SECOND


def test_streams_do_not_meet(place, stream):
    store = place.open()
    for name, mark in ((stream, FIRST), (stream + "?a", SECOND), (stream + "/../x", EMPTY), (stream + "%3Fa", FIRST)):
        store.save(name, mark, expected=None)

    assert store.load(stream) == FIRST
    assert store.load(stream + "?a") == SECOND
    assert store.load(stream + "/../x") == EMPTY
    assert store.load(stream + "%3Fa") == FIRST
    assert store.load(stream + "#a") is None


def test_long_names_that_differ_at_their_end_do_not_meet(place, stream):
    store = place.open()
    store.save(stream + "x" * 300 + "1", FIRST, expected=None)
    store.save(stream + "x" * 300 + "2", SECOND, expected=None)

    assert store.load(stream + "x" * 300 + "1") == FIRST


@pytest.mark.parametrize(
    ("present", "expected"), [(FIRST, None), (FIRST, EMPTY), (None, FIRST)], ids=["begun", "moved", "gone"]
)
def test_a_first_save_refuses_what_it_did_not_expect_and_leaves_it(place, stream, present, expected):
    if present is not None:
        place.open().save(stream, present, expected=None)
    late = place.open()

    with pytest.raises(WatermarkError, match="was expected") as refused:
        late.save(stream, SECOND, expected=expected)

    assert refused.value.retry_helps
    assert "2026-11-23" not in str(refused.value)
    if present is not None:
        assert place.open().load(stream) == FIRST


def test_of_two_runs_that_begin_at_once_the_later_is_refused(place, stream):
    one, other = place.open(), place.open()
    assert one.load(stream) is None
    assert other.load(stream) is None

    one.save(stream, EMPTY, expected=None)
    with pytest.raises(WatermarkError, match="another run or person has moved it"):
        other.save(stream, FIRST, expected=None)
    one.save(stream, FIRST, expected=EMPTY)

    assert place.open().load(stream) == FIRST


def test_of_two_runs_that_go_on_at_once_the_later_is_refused(place, stream):
    place.open().save(stream, EMPTY, expected=None)
    one, other = place.open(), place.open()
    at_one, at_other = one.load(stream), other.load(stream)

    one.save(stream, FIRST, expected=at_one)
    with pytest.raises(WatermarkError, match="by dag 'd', task 't', run 'r1'"):
        other.save(stream, SECOND, expected=at_other)

    assert place.open().load(stream) == FIRST


def run_that_saved(place, stream):
    store = place.open()
    store.save(stream, EMPTY, expected=None)
    store.save(stream, FIRST, expected=EMPTY)
    return store


def test_what_a_person_moves_in_the_middle_of_a_run_is_left_as_it_is(place, stream):
    store = run_that_saved(place, stream)
    place.put(stream, encode(SECOND))

    with pytest.raises(
        WatermarkError, match="another run or person has moved it in the meantime, and it was left as found"
    ):
        store.save(stream, FIRST._replace(values=("2026-11-24", "43")), expected=FIRST)

    assert place.open().load(stream) == SECOND


def test_what_a_person_forgets_in_the_middle_of_a_run_stays_forgotten(place, stream):
    store = run_that_saved(place, stream)
    place.open().forget(stream)

    with pytest.raises(WatermarkError, match="is absent, but one by dag 'd'"):
        store.save(stream, FIRST._replace(values=("2026-11-24", "43")), expected=FIRST)

    assert place.open().load(stream) is None


def test_what_a_person_breaks_in_the_middle_of_a_run_is_told(place, stream):
    store = run_that_saved(place, stream)
    place.put(stream, "nonsense")

    with pytest.raises(WatermarkError, match="can't be understood"):
        store.save(stream, SECOND, expected=FIRST)


def test_what_a_person_only_lays_out_in_the_middle_of_a_run_is_the_same_watermark(place, stream):
    store = run_that_saved(place, stream)
    place.put(stream, json.dumps(json.loads(encode(FIRST)), indent=2))

    store.save(stream, SECOND, expected=FIRST)

    assert place.open().load(stream) == SECOND


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[1]", '{"version": 9}', '{"version": 1, "values": [3], "facts": {}}']
)
def test_what_a_person_broke_is_an_error_and_never_an_absence(place, stream, text):
    place.open().save(stream, FIRST, expected=None)
    place.put(stream, text)

    with pytest.raises(WatermarkError, match=r"can't be understood.*legacy-events watermark set"):
        place.open().load(stream)
    with pytest.raises(WatermarkError, match="can't be understood"):
        place.open().save(stream, SECOND, expected=FIRST)


def test_it_serves_a_thread_that_is_not_the_main_one(place, stream):
    found = []

    def work():
        store = place.open()
        store.save(stream, FIRST, expected=store.load(stream))
        found.append(store.load(stream))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert found == [FIRST]


def test_what_is_forgotten_is_as_if_it_had_never_been(place, stream):
    place.open().save(stream, FIRST, expected=None)
    place.put(stream, "nonsense")

    place.open().forget(stream)
    place.open().forget(stream)

    assert place.open().load(stream) is None
    place.open().save(stream, EMPTY, expected=None)
    assert place.open().load(stream) == EMPTY
