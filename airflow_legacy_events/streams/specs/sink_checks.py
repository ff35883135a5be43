"""Checks of a sink's arguments, while a DAG is parsed and again once they are rendered; all faults in one error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports.decoder import Decoder
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.envelopes.decoding.arguments import placeholders
from airflow_legacy_events.hooks.registry import DECODERS, find, missing_port
from airflow_legacy_events.sources.topic.arguments import check_on_gap, check_partitions, check_topics, first_moment
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.specs.sink_arguments import SinkArguments

_STAND_INS: Mapping[str, Any] = {
    "conn_id": "c",
    "broker_conn_id": "b",
    "topics": ("t",),
    "table": "t",
    "deleted_column": "\0deleted",
    "version_column": "\0version",
    "target_timezone": "UTC",
    "first_run": "all",
}
"""What a template is checked as before it is rendered; others as if they were left out."""

_TEMPLATED = (
    *_STAND_INS,
    *("allowed_tables", "partitions", "name", "key_columns", "columns", "exclude_columns", "metadata_columns"),
    *("column_types", "decimal_scales", "dead_letter_topic", "replay_table"),
)
_SCHEMALESS = ("debezium", "plain")


def check_sink(spec: SinkArguments, *, rendered: bool) -> None:
    """Check the arguments without a connection.

    Args:
        spec: with the arguments.
        rendered: False while a DAG is parsed, when a text may still be a template.

    Raises:
        ConfigurationError: lists all that is wrong.
    """
    problems = Problems()
    for check in _checks(spec if rendered else _without_templates(spec)):
        with problems.collect():
            check()
    problems.raise_found()


def is_late(value: Any) -> bool:
    """Return whether a value, or a part of it, is known only after rendering."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(map(is_late, (*value, *value.values())))
    if isinstance(value, Iterable) and not hasattr(value, "resolve"):
        return any(map(is_late, value))
    return hasattr(value, "resolve")  # what another task returns


def _without_templates(spec: SinkArguments) -> SinkArguments:
    late: dict[str, Any] = {name: _STAND_INS.get(name) for name in _TEMPLATED if is_late(getattr(spec, name))}
    if "table" in late:
        late |= {"allowed_tables": None}
    elif "allowed_tables" in late:
        late |= {"allowed_tables": ["t"]}
    return replace(spec, **late)


def _checks(spec: SinkArguments) -> Iterator[Callable[[], Any]]:
    yield partial(_text, "target_conn_id", spec.conn_id, optional=False)
    yield partial(_text, "broker_conn_id", spec.broker_conn_id, optional=False)
    yield partial(_text, "stream", spec.name, optional=True)
    yield partial(_text, "dead_letter_topic", spec.dead_letter_topic, optional=True)
    yield partial(_text, "replay_table", spec.replay_table, optional=True)
    yield lambda: check_topics(list(spec.listed))
    yield lambda: check_partitions(spec.partitions)
    yield lambda: first_moment(spec.first_run)
    yield lambda: check_on_gap(spec.on_gap)
    yield lambda: arguments.span("statement_timeout", spec.statement_timeout, zero=False)
    yield lambda: _envelope(spec.envelope)
    yield lambda: spec.decoding().check(schemaless=spec.envelope in _SCHEMALESS or not isinstance(spec.envelope, str))
    yield lambda: _together(spec)


def _text(name: str, value: Any, *, optional: bool) -> None:
    if (value is None and optional) or (isinstance(value, str) and value.strip()):
        return
    raise ConfigurationError(f"{name}= must be a name{', or left out' if optional else ''}; found {value!r}")


def _envelope(given: Any) -> None:
    if isinstance(given, str):
        find(DECODERS, given, "envelope")
    elif isinstance(given, type) or not isinstance(given, Decoder):
        raise missing_port("envelope", given, DECODERS, "the methods read(received, at) and key(key, names)")


def _together(spec: SinkArguments) -> None:
    problems = Problems()
    for fault in _faults(spec):
        problems.found.append(ConfigurationError(fault))
    problems.raise_found()


def _faults(spec: SinkArguments) -> Iterator[str]:
    if spec.on_truncate == "apply" and spec.partitions is not None:
        yield (
            "on_truncate='apply' can't be combined with partitions=: a truncate is applied once all partitions of its"
            " topic have reached it. Read the topic in one task, or use on_truncate='skip'"
        )
    if spec.dead_letter_topic is not None and spec.dead_letter_topic in spec.listed:
        yield (
            f"dead_letter_topic={spec.dead_letter_topic!r} is one of topics=: what can't be applied would be read"
            " again and again; name another topic"
        )
    if spec.replay_table is None:
        return
    if spec.replay_table == spec.table:
        yield (
            f"replay_table={spec.replay_table!r} is table= too: older rows would go over newer ones; name another"
            " table, or use version_column="
        )
    if _is_template(spec.table) or _is_template(spec.replay_table):
        yield "replay_table= goes with a single table: leave it out, or give table= and replay_table= without braces"


def _is_template(table: Any) -> bool:
    try:
        return isinstance(table, str) and bool(placeholders(table))
    except ValueError:
        return False  # reported as what it is
