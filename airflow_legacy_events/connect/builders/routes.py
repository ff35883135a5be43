"""Event router per table: the rows of each table go to a topic of its own name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from airflow_legacy_events.core.errors import ConfigurationError

_ROUTER = "org.apache.kafka.connect.transforms.RegexRouter"
_UNUSABLE = re.compile(r"[^A-Za-z0-9._-]")
"""Debezium writes `_` for these characters of a table's name in a topic."""


def routes(
    topics: Mapping[str, str] | str | None, tables: Sequence[str], begins: str, database: str = ""
) -> dict[str, str]:
    """Return the transforms that rename the topic of each table.

    A delete's tombstone and a changed key follow their rows, since only the topic is changed.

    Args:
        topics: topic of each table; or a template with `{table}`, `{schema}` or `{name}` (both); None: Debezium's.
        tables: that are captured.
        begins: the topic prefix.
        database: regular expression of what Debezium's topic has between prefix and table; empty if nothing.

    Raises:
        ConfigurationError: a table is not captured, or two tables would share a topic.
    """
    if topics is None:
        return {}
    chosen = _chosen(topics, tables)
    debeziums = {table: f"{begins}.{_UNUSABLE.sub('_', table)}" for table in tables}
    _refuse_shared({**debeziums, **chosen}, chosen, debeziums)
    found = {"transforms": ",".join(f"topic{at}" for at in range(len(chosen)))}
    for at, (table, topic) in enumerate(chosen.items()):
        name = f"transforms.topic{at}"
        found[f"{name}.type"] = _ROUTER
        found[f"{name}.regex"] = topic_pattern(begins, table, database)
        found[f"{name}.replacement"] = topic
    return found


def topic_pattern(begins: str, table: str, database: str = "") -> str:
    """Return the regular expression of the topic that Debezium derives for a table; arguments as for `routes`."""
    return f"{re.escape(begins)}\\.{database}{re.escape(_UNUSABLE.sub('_', table))}"


def _chosen(topics: Mapping[str, str] | str, tables: Sequence[str]) -> dict[str, str]:
    if isinstance(topics, str):
        try:
            topics = {one: topics.format(name=one, **_parts(one)) for one in tables}
        except (KeyError, IndexError, ValueError):
            raise ConfigurationError(
                f"topics={topics!r} is a template, and may hold {{table}}, {{schema}} and {{name}}, which is both"
            ) from None
    if not isinstance(topics, Mapping) or not topics:
        raise ConfigurationError(
            "topics= must be a mapping of tables to topics, such as {'public.orders': 'shop.orders'}, or a template"
            f" such as 'shop.{{table}}'; found {topics!r}"
        )
    if unknown := sorted(set(topics) - set(tables)):
        raise ConfigurationError(
            f"topics= names {', '.join(map(repr, unknown))}, which tables= does not: {', '.join(map(repr, tables))}"
        )
    for table, topic in topics.items():
        if not isinstance(topic, str) or not topic or _UNUSABLE.search(topic):
            raise ConfigurationError(
                f"topics= gives table {table!r} the topic {topic!r}: a topic is letters, digits, '.', '_' and '-'"
            )
    return dict(topics)


def _parts(table: str) -> dict[str, str]:
    *_, schema, name = table.split(".")
    return {"schema": schema, "table": name}


def _refuse_shared(topics: Mapping[str, str], chosen: Mapping[str, str], debeziums: Mapping[str, str]) -> None:
    """Check that no two tables share a topic, and that no renamed topic is renamed once more by a later transform."""
    by_topic: dict[str, list[str]] = {}
    for table, topic in topics.items():
        by_topic.setdefault(topic, []).append(table)
    for topic, tables in by_topic.items():
        if len(tables) > 1:
            raise ConfigurationError(
                f"topic {topic!r} would get the rows of {' and '.join(map(repr, tables))}, whose keys would be mixed"
                " up: give each table a topic of its own"
            )
    for table, topic in chosen.items():
        if topic in debeziums.values() and topic != debeziums[table]:
            raise ConfigurationError(
                f"topics= gives table {table!r} the topic {topic!r}, which is the one that Debezium derives for another"
                " table: choose another one"
            )
