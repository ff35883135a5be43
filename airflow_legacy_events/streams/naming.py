"""Stream names, derived from an operator's arguments alone."""

from __future__ import annotations

import re

from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.core.names import digest
from airflow_legacy_events.core.uris import path_of

LOG_SUFFIX = "@log"
_LONGEST_SLOT = 63
_NOT_IN_SLOTS = re.compile("[^a-z0-9_]")


def make_stream(
    *,
    conn_id: str,
    table: str | None,
    topic: str,
    dag_id: str,
    task_id: str,
    name: str | None,
    source_timezone: str | None,
) -> Stream:
    """Return the stream that an operator's rendered arguments identify.

    A table's stream is `<conn>.<table>@<topic>`, a query's `<conn>.<dag>.<task>@<topic>`; `name` overrides both.
    """
    default = f"{conn_id}.{table}@{topic}" if table is not None else f"{conn_id}.{dag_id}.{task_id}@{topic}"
    stream, zone = name or default, source_timezone or "UTC"
    if table is not None:
        return Stream(stream, topic, path_of(conn_id, table), f"{conn_id}.{table}.changed", zone)
    return Stream(stream, topic, path_of(conn_id, stream), f"{stream}.changed", zone)


def slot_name(dag_id: str, task_id: str) -> str:
    """Return the default name of a task's replication slot and publication: `legacy_events_<dag_id>_<task_id>`.

    PostgreSQL allows lower-case letters, digits and underscores, at most 63. A name that had to be changed or cut ends
    with a hash of both ids, so that `crm.orders` and `crm-orders` have different slots.
    """
    wanted = f"legacy_events_{dag_id}_{task_id}"
    name = _NOT_IN_SLOTS.sub("_", wanted.lower())
    if name == wanted and len(name) <= _LONGEST_SLOT:
        return name
    mark = digest(f"{dag_id}/{task_id}", 8)
    return f"{name[: _LONGEST_SLOT - len(mark) - 1]}_{mark}"


def log_stream(conn_id: str, slot: str | None, dag_id: str | None, task_id: str | None) -> str:
    """Return the name of the stream of a log: `<conn>.<slot>@log`, without a slot `<conn>.<dag>.<task>@log`."""
    return f"{conn_id}.{slot or f'{dag_id}.{task_id}'}{LOG_SUFFIX}"


def slot_in(stream: str) -> str:
    """Return the name of the slot that names a stream; it holds no dot."""
    return stream.removesuffix(LOG_SUFFIX).rpartition(".")[2]


def slot_of(stream: str, conn_id: str) -> str | None:
    """Return the name of the slot that names a stream; None if DAG and task do.

    Args:
        stream: name of a log's stream.
        conn_id: the connection that it begins with.
    """
    named = stream.removeprefix(f"{conn_id}.").removesuffix(LOG_SUFFIX)
    return None if "." in named else named


def holds_template(text: object) -> bool:
    """Return whether a text is known only after rendering."""
    return not isinstance(text, str) or "{{" in text or "{%" in text
