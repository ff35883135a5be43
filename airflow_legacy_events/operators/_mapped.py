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
    ti = context["ti"]
    if ti.map_index is None or ti.map_index < 0 or _differs(context, written):
        return
    count = ti.get_ti_count(dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id])
    if count > 1:
        names = " and ".join(f"{name}=" for name in written)
        raise ConfigurationError(
            f"task {ti.task_id!r} is mapped over {count} elements with sql=, and {names} give all of them the stream"
            f" {stream!r}: behind the watermark of one, rows of the others would never be sent. Nothing was read. Name"
            ' each one\'s stream with stream="…{{ … }}" by what it is mapped over, such as'
            ' stream="orders of {{ params.tenant }}"; a map index is no name, it is a place in a list'
        )


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
