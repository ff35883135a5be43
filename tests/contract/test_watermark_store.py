"""What every watermark store keeps, whatever it is made of."""

import itertools
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import WatermarkStore
from airflow_legacy_events.errors import WatermarkError
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.registration import RegisteredWatermarkStore
from airflow_legacy_events.watermarks.variable import PREFIX, VariableWatermarkStore
from tests.airflow import metadata

numbers = itertools.count()

EMPTY = Watermark(None, None, {"topic": "legacy.orders", "dag": "d", "task": "t", "run": "r1"})
FIRST = Watermark(
    ("2026-11-23 09:15:02.123456+00", "42"), None, {**EMPTY.facts, "columns": [["a", "b"], ["id", "int"]]}
)
SECOND = Watermark(("ü\n\"'%~\\", "-0"), ([[1, 5], [7, 7]], "0/16B3748"), {"rows": 10**30, "share": 0.1, "none": None})


@dataclass
class Place:
    """One kind of store: `open` gives a new writer onto the same place, `put` writes there behind its back."""

    open: Any
    put: Any


class Shared:
    """As many writers as wanted on one memory."""

    def __init__(self):
        self.inner = MemoryWatermarkStore()

    def put(self, stream, text):
        self.inner.texts[stream] = text


def memory():
    shared = Shared()
    return Place(lambda: shared.inner, shared.put)


def variable():
    return Place(VariableWatermarkStore, lambda stream, text: metadata.put_variable(PREFIX + stream, text))


def registered():
    place = variable()
    return Place(lambda: RegisteredWatermarkStore(place.open(), name="variable", dag="d", task="t"), place.put)


def table(url):
    import sqlalchemy as sa

    from airflow_legacy_events.watermarks import table as module

    engine = sa.create_engine(url, poolclass=sa.NullPool)

    def put(stream, text):
        rows = module._table
        with engine.begin() as connection:
            connection.execute(rows.update().where(rows.c.stream == stream).values(watermark=text))

    return Place(lambda: module.TableWatermarkStore(engine, "crm"), put)


def asset():
    """In a task whose inlets are all the assets it asks for, and all of them are known to Airflow."""
    from airflow.sdk.execution_time.context import AssetStateStoreAccessor

    from airflow_legacy_events.watermarks.asset import KEY, AssetWatermarkStore, watermark_asset

    class Inlets(dict):
        def __missing__(self, asset):
            metadata.activate_asset(asset.name, asset.uri)
            return AssetStateStoreAccessor(name=asset.name)

    context = {"task_state_store": None, "asset_state_store": Inlets()}
    return Place(
        lambda: AssetWatermarkStore(context),
        lambda stream, text: context["asset_state_store"][watermark_asset(stream)].set(KEY, text),
    )


def server_asset():
    from airflow_legacy_events.watermarks.asset import KEY, AssetWatermarkStore, watermark_asset
    from airflow_legacy_events.watermarks.asset_server import ServerAssetState

    class Store(AssetWatermarkStore):
        """Its assets are known to Airflow as soon as they are asked for."""

        def _state(self, name):
            found = watermark_asset(name)
            metadata.activate_asset(found.name, found.uri)
            return super()._state(name)

    return Place(Store, lambda stream, text: ServerAssetState(watermark_asset(stream).name).set(KEY, text))


class Runs:
    """The XComs of one task, in memory: those of this run, and the runs before."""

    def __init__(self):
        self.pushed, self.past, self.loaded_before = None, [], False

    def own(self):
        return self.pushed

    def before(self, logical_date):
        return next((one for one in self.past if logical_date is None or one.logical_date < logical_date), None)

    def push(self, content):
        self.pushed = dict(content)

    def replace_all(self, content):
        self.pushed, self.past, self.loaded_before = None, [], False

    def may_load(self, stream):
        return not self.loaded_before

    def loaded(self, stream):
        self.loaded_before = True


def xcom():
    from airflow_legacy_events.watermarks.xcom import XComWatermarkStore

    runs = Runs()
    return Place(lambda: XComWatermarkStore(runs), lambda stream, text: runs.push({stream: text}))


def task_state():
    from airflow_legacy_events.watermarks.task_state import TaskStateWatermarkStore

    class State(dict):
        def set(self, key, value, *, retention=None):
            self[key] = value

        def delete(self, key):
            self.pop(key, None)

    state = State()
    return Place(lambda: TaskStateWatermarkStore(state), lambda stream, text: state.set(f"progress:{stream}", text))


@pytest.fixture(
    params=[
        pytest.param((memory, None), id="memory"),
        pytest.param((variable, metadata.as_task), id="variable, in a task"),
        pytest.param((variable, metadata.as_server), id="variable, on the command line"),
        pytest.param((registered, metadata.as_task), id="registered variable, in a task"),
        pytest.param(("sqlite", None), id="table in SQLite"),
        pytest.param(("postgres_database", None), id="table in PostgreSQL"),
        pytest.param(("mariadb_database", None), id="table in MariaDB"),
        pytest.param(("mysql_database", None), id="table in MySQL 5.6"),
        pytest.param((asset, metadata.as_task), id="asset, in a task"),
        pytest.param((server_asset, metadata.as_server), id="asset, on the command line"),
        pytest.param((xcom, None), id="xcom"),
        pytest.param((task_state, None), id="task state"),
    ]
)
def place(request):
    make, reach = request.param
    if make == "sqlite":
        yield table(f"sqlite:///{request.getfixturevalue('tmp_path')}/watermarks.db")
        return
    if isinstance(make, str):
        yield table(request.getfixturevalue(make).url)
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


@pytest.mark.parametrize("mark", [EMPTY, FIRST, SECOND, Watermark((), (), {})], ids=["empty", "first", "odd", "bare"])
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


def test_of_many_writers_at_once_to_a_table_one_wins_each_step(tmp_path, stream):
    """Only a table compares and sets; the others rest on the stream's lock."""
    place = table(f"sqlite:///{tmp_path}/watermarks.db")
    place.open().save(stream, EMPTY, expected=None)
    won = []

    def write(number):
        store = place.open()
        for step in range(5):
            try:
                mark = store.load(stream)
                store.save(stream, Watermark((str(number), str(step)), None, {}), expected=mark)
                won.append((mark, (str(number), str(step))))
            except WatermarkError:
                continue

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    befores = [mark.values for mark, _ in won]
    assert len(befores) == len(set(befores)), "two writers replaced one and the same watermark"
    assert place.open().load(stream).values in {after for _, after in won}


def test_a_table_that_may_not_be_made_says_by_which_statement(tmp_path, stream):
    import sqlalchemy as sa

    from airflow_legacy_events.watermarks.table import TableWatermarkStore

    (tmp_path / "watermarks.db").touch()
    engine = sa.create_engine(f"sqlite:///file:{tmp_path}/watermarks.db?mode=ro&uri=true")
    store = TableWatermarkStore(engine, "crm")

    assert store.load(stream) is None
    with pytest.raises(WatermarkError, match=r"can't be made over connection 'crm'.*CREATE TABLE legacy_events_waterm"):
        store.save(stream, EMPTY, expected=None)


def test_a_table_that_is_too_narrow_says_how_it_is_made_wider(mariadb_database, stream):
    mariadb_database.execute(
        "CREATE TABLE legacy_events_watermarks (id varchar(64) PRIMARY KEY, stream text NOT NULL,"
        " watermark text NOT NULL, revision bigint NOT NULL, saved_at varchar(32) NOT NULL)"
    )
    store, wide = table(mariadb_database.url).open(), Watermark(("x" * 70_000,), None, {})
    store.save(stream, FIRST, expected=None)

    with pytest.raises(WatermarkError, match=r"does not fit into table .*: ALTER TABLE ") as refused:
        store.save(stream, wide, expected=FIRST)
    assert not refused.value.retry_helps
    mariadb_database.execute(str(refused.value)[str(refused.value).index("ALTER TABLE") :])
    store.save(stream, wide, expected=FIRST)
    assert store.load(stream) == wide
