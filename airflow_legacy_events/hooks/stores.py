"""What each watermark store is made of: a task's context, or a connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import WatermarkStore
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from airflow_legacy_events.watermarks.task_state import TaskStateWatermarkStore
from airflow_legacy_events.watermarks.xcom import TaskRuns, XComWatermarkStore


class Owner(NamedTuple):
    """The task whose stream a server of the deployment looks after."""

    dag: str
    task: str


Context: TypeAlias = Mapping[str, Any] | Owner | None
"""Of the task that works; on a server the stream's owner, None where it has none."""


def arguments(name: str, detail: str, context: Context) -> tuple[Any, ...]:
    """Return the arguments of a store's class.

    Args:
        name: of the store.
        detail: what follows a colon in `watermark_store=`, such as a connection.
        context: who asks.

    Raises:
        ConfigurationError: the store can't be made like that.
    """
    if detail and name != "table":
        raise ConfigurationError(f"watermark_store='{name}:{detail}' has a detail that only 'table:<conn_id>' takes")
    make = _ARGUMENTS.get(name)
    return () if make is None else make(detail, context)


def _table(conn_id: str, _: Context) -> tuple[Any, ...]:
    import sqlalchemy as sa  # noqa: PLC0415  for those who connect

    conn_id = conn_id or _configured()
    return sa.create_engine(_url(conn_id), poolclass=sa.NullPool), conn_id


def _url(conn_id: str) -> Any:
    from airflow_legacy_events.hooks.connections import find_connection  # noqa: PLC0415
    from airflow_legacy_events.hooks.urls import URLS  # noqa: PLC0415

    connection = find_connection(conn_id)
    conn_type = str(connection.conn_type)
    if conn_type not in URLS:
        raise ConfigurationError(
            f"watermark_store='table:{conn_id}': connection {conn_id!r} is of type {conn_type!r}; known:"
            f" {', '.join(sorted(URLS))}"
        )
    return URLS[conn_type](conn_id, connection)


def _configured() -> str:
    from airflow.sdk.configuration import conf  # noqa: PLC0415

    conn_id = conf.get("legacy_events", "watermark_table_conn_id", fallback="")
    if not conn_id:
        raise ConfigurationError(
            "watermark_store='table' needs a connection: write 'table:<conn_id>', or set [legacy_events]"
            " watermark_table_conn_id in Airflow's configuration"
        )
    return str(conn_id)


def _asset(_: str, context: Context) -> tuple[Any, ...]:
    return (None if isinstance(context, Owner) else context,)


def _xcom(_: str, context: Context) -> tuple[Any, ...]:
    if isinstance(context, Owner):
        from airflow_legacy_events.watermarks.xcom_server import ServerRuns  # noqa: PLC0415

        return (ServerRuns(*context),)
    if context is None:
        raise ConfigurationError(
            "watermarks in XComs belong to one task, and none was named: no registration tells whose the stream is"
        )
    return (TaskRuns(context),)


_ARGUMENTS: dict[str, Callable[[str, Context], tuple[Any, ...]]] = {"asset": _asset, "table": _table, "xcom": _xcom}


def left_behind(store: WatermarkStore, stream: str) -> str | None:
    """Tell a store that a live run has ended well; return the watermark where it goes with the XComs of this run."""
    return store.succeeded(stream) if isinstance(store, XComWatermarkStore) else None


def progress_store(
    store: WatermarkStore, context: Mapping[str, Any], kept: Callable[[], Mapping[str, str]]
) -> WatermarkStore:
    """Return where a replay or rerun keeps how far it came: the same store, if that can hold it.

    XComs can't: a run's own are deleted with every try. There the progress lies in the task's state (Airflow 3.3),
    else nowhere, and another try sends the window again, with equal ids.

    Args:
        store: of the stream.
        context: of the task.
        kept: gives what a live run left behind, by stream, where this run takes its place.
    """
    if not isinstance(store, XComWatermarkStore):
        return store
    store.pass_by(kept())
    state = context.get("task_state_store")
    return MemoryWatermarkStore() if state is None else TaskStateWatermarkStore(state)
