"""Mapped tasks with a query: each map index needs a stream of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.streams.naming import holds_template


def refuse_shared(context: Mapping[str, Any], written: Mapping[str, Any], stream: str) -> None:
    """Check that the map indexes of a task don't share one stream: its watermark would be that of one query only.

    A task that is mapped over a single element, or over an argument of the stream's name, passes.

    Args:
        context: of the task.
        written: the arguments that the stream's name is made of, before rendering.
        stream: its name.

    Raises:
        ConfigurationError: they share one.
    """
    if (count := _sharing(context, written)) > 1:
        ti = context["ti"]
        names = " and ".join(f"{name}=" for name in written)
        raise ConfigurationError(
            f"task {ti.task_id!r} is mapped over {count} elements with sql=, and {names} give all of them the stream"
            f" {stream!r}: below the watermark of one, rows of the others would never be sent. Nothing was read. Name"
            ' each one\'s stream with stream="…{{ … }}" by what it is mapped over, such as stream="orders of {{'
            ' params.tenant }}"; a map index is not a name but a position in a list'
        )


def refuse_shared_slot(context: Mapping[str, Any], slot: str | None, written: Mapping[str, Any]) -> None:
    """Check that each map index of a task names a slot of its own, which no default can do.

    Args:
        context: of the task.
        slot: as given.
        written: the arguments that the stream's name is made of, before rendering.

    Raises:
        ConfigurationError: the slot is the default one, or several share it.
    """
    task = context["ti"].task_id
    if slot is None and _is_mapped(context):
        raise ConfigurationError(
            f"task {task!r} is mapped, and a slot belongs to one map index; nothing was read.\n"
            'Name each one with slot= by what it is mapped over, such as slot="orders_{{ params.tenant }}"'
        )
    if (count := _sharing(context, written)) > 1:
        raise ConfigurationError(
            f"task {task!r} is mapped over {count} elements that share the slot {slot!r}; nothing was read.\n"
            'Name each one with slot= by what it is mapped over, such as slot="orders_{{ params.tenant }}"'
        )


def refuse_shared_connection(context: Mapping[str, Any], written: Mapping[str, Any], stream: str) -> None:
    """Check that each map index of a task reads another connection, where DAG and task name the stream.

    Args:
        context: of the task.
        written: the arguments that the stream's name is made of, before rendering.
        stream: its name.

    Raises:
        ConfigurationError: several share one.
    """
    _refuse_shared(
        context,
        {"source_conn_id": written.get("source_conn_id")},
        stream,
        "Map it over source_conn_id=, or give one task all tables=: a log without slots has one stream for a task",
    )


def refuse_shared_positions(context: Mapping[str, Any], written: Mapping[str, Any], stream: str) -> None:
    """Check that the map indexes of a sink don't share one stream, whose position is that of one of them.

    Args:
        context: of the task.
        written: the arguments that the stream's name is made of, before rendering.
        stream: its name.

    Raises:
        ConfigurationError: they share one.
    """
    remedy = "Map it over partitions=, topics=, table= or target_conn_id=, or name each one's stream with stream="
    _refuse_shared(context, written, stream, remedy)


def _refuse_shared(context: Mapping[str, Any], written: Mapping[str, Any], stream: str, remedy: str) -> None:
    if (count := _sharing(context, written)) > 1:
        task = context["ti"].task_id
        raise ConfigurationError(
            f"task {task!r} is mapped over {count} elements that share the stream {stream!r}; nothing was read.\n"
            f"{remedy}"
        )


def _is_mapped(context: Mapping[str, Any]) -> bool:
    index = context["ti"].map_index
    return index is not None and index >= 0


def _sharing(context: Mapping[str, Any], written: Mapping[str, Any]) -> int:
    """Return the number of map indexes that share one stream; 0 if the task is not mapped, or each has its own."""
    ti = context["ti"]
    if not _is_mapped(context) or _differs(context, written):
        return 0
    return int(ti.get_ti_count(dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id]))


def _differs(context: Mapping[str, Any], written: Mapping[str, Any]) -> bool:
    """Return whether the name may differ per map index: an argument is a template, or is itself expanded."""
    if any(map(holds_template, written.values())):
        return True
    task = context["dag"].get_task(context["ti"].task_id)  # a task in a mapped group is not an expanded one itself
    expanded = getattr(getattr(task, "expand_input", None), "value", ())
    if not isinstance(expanded, Mapping | Sequence):  # a list of dictionaries that another task returns
        return any(name not in task.partial_kwargs for name in written)
    keys = [expanded] if isinstance(expanded, Mapping) else [one for one in expanded if isinstance(one, Mapping)]
    return any(name in one for name in written for one in keys)
