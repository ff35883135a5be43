"""Watermark stores: opened by the name in `watermark_store=`, or passed as an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import conf

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import WatermarkStore
from airflow_legacy_events.hooks.registry import DEFAULT_STORE, STORES, find, missing_port, resolve
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.opening import NamedStore, OpenableStore, OpenedBy, Owner, PassedStore
from airflow_legacy_events.watermarks.task_state import TaskStateWatermarkStore

if TYPE_CHECKING:
    import sqlalchemy as sa


def store_class(watermark_store: str | None) -> type[OpenableStore]:
    """Return the class behind a name, ignoring its detail; None is the default store.

    Raises:
        ConfigurationError: the name is not known.
    """
    name = (watermark_store or DEFAULT_STORE).partition(":")[0]
    return cast("type[OpenableStore]", resolve(find(STORES, name, "watermark_store")))


def open_store(
    watermark_store: str | WatermarkStore | None,
    *,
    context: Mapping[str, Any] | None = None,
    owner: Owner | None = None,
) -> NamedStore:
    """Return a store; streams are registered under its `name`.

    Args:
        watermark_store: a name, such as `table:<conn_id>`, an object, or None for the default store.
        context: of the running task; None on a server of the deployment.
        owner: on a server, the task that owns the stream; None: unknown.

    Raises:
        ConfigurationError: the name is not known, the store can't be opened that way, or the object is not a store.
    """
    if watermark_store is None or isinstance(watermark_store, str):
        kind, detail = store_class(watermark_store), _detail(watermark_store or DEFAULT_STORE)
        return kind.open(OpenedBy(detail or _configured(kind), context, owner, engine_of))
    if isinstance(watermark_store, type) or not isinstance(watermark_store, WatermarkStore):
        methods = "the methods load(stream), save(stream, new, *, expected) and forget(stream)"
        raise missing_port("watermark_store", watermark_store, STORES, methods)
    return PassedStore(watermark_store)


def progress_store(store: NamedStore, context: Mapping[str, Any], kept: Callable[[], Mapping[str, str]]) -> NamedStore:
    """Return the store for the progress of a replay or rerun: the same store if it can hold progress.

    Else it is the task's state (Airflow 3.3), else memory. With memory, another try sends the window again, with equal
    ids.

    Args:
        store: of the stream.
        context: of the task.
        kept: returns watermark texts by stream, left by a live run that this run replaces.
    """
    if store.keeps_progress:
        return store
    store.pass_by(kept())
    kind = MemoryWatermarkStore if context.get("task_state_store") is None else TaskStateWatermarkStore
    return kind.open(OpenedBy("", context, None, engine_of))


def needs_inlet(watermark_store: str | WatermarkStore | None) -> bool:
    """Return whether the task needs the stream's asset as an inlet; False for an unknown name, which a run refuses."""
    if watermark_store is not None and not isinstance(watermark_store, str):
        return False
    known = (watermark_store or DEFAULT_STORE).partition(":")[0] in STORES
    return known and store_class(watermark_store).needs_inlet


def _detail(name: str) -> str:
    """Return the part after the colon."""
    _, _, detail = name.partition(":")
    if detail and store_class(name).detail_option is None:
        raise ConfigurationError(f"watermark_store={name!r} has a detail that only 'table:<conn_id>' takes")
    return detail


def _configured(kind: type[OpenableStore]) -> str:
    """Return the detail from Airflow's configuration."""
    return "" if kind.detail_option is None else str(conf.get("legacy_events", kind.detail_option, fallback=""))


def engine_of(conn_id: str) -> sa.Engine:
    """Return the engine of a connection, for watermarks in a table of its database.

    Raises:
        ConfigurationError: the connection is missing, or leads to no such database.
    """
    import sqlalchemy as sa  # noqa: PLC0415  only to connect

    from airflow_legacy_events.databases.quoting import quote_all  # noqa: PLC0415
    from airflow_legacy_events.hooks.connections import find_connection  # noqa: PLC0415
    from airflow_legacy_events.hooks.registry import CONN_TYPE  # noqa: PLC0415
    from airflow_legacy_events.hooks.target import find_target  # noqa: PLC0415
    from airflow_legacy_events.hooks.urls import URLS  # noqa: PLC0415

    connection = find_connection(conn_id)
    conn_type = str(connection.conn_type)
    try:
        name, url = find_target(conn_id, connection)
    except ConfigurationError:
        if conn_type in (known := {*URLS, CONN_TYPE}):
            raise
        raise ConfigurationError(
            f"watermark_store='table:{conn_id}': connection {conn_id!r} is of type {conn_type!r}; known:"
            f" {', '.join(sorted(known))}"
        ) from None
    options: dict[str, Any] = {"poolclass": sa.NullPool, "hide_parameters": True}
    if name == "mysql":
        from airflow_legacy_events.databases.mysql import connecting  # noqa: PLC0415  needs its driver

        given = connecting.options_of(conn_id, url.get_dialect()(), url)
        options["creator"] = lambda: connecting.connect(conn_id, given, autocommit=False)
    if name == "postgres":
        from airflow_legacy_events.databases.postgres.ours import named  # noqa: PLC0415  needs its driver

        options["connect_args"] = {"application_name": named(url.query)["application_name"]}
    engine = sa.create_engine(url, **options)
    quote_all(engine.dialect)
    return engine
