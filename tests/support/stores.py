"""Every watermark store, and a way to write to its place behind its back."""

from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.variable import PREFIX, VariableWatermarkStore
from tests.airflow import metadata
from tests.support.registered import Registered


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
    return Place(lambda: Registered(place.open(), name="variable", dag="d", task="t"), place.put)


def table(url):
    import sqlalchemy as sa

    from airflow_legacy_events.watermarks import table as module

    engine = sa.create_engine(url, poolclass=sa.NullPool)

    def put(stream, text):
        rows = module.POSITIONS
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
