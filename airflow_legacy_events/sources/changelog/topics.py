"""Topics of tables: a template filled with the names of a table, in the characters that Kafka can hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from airflow_legacy_events.core import templates
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import TableName

NAMES = ("database", "schema", "table")
"""Names that may stand in braces."""

_OTHER = re.compile(r"[^a-zA-Z0-9._-]")


def needs_database(template: str) -> bool:
    """Whether the name of the database is part of a topic."""
    return "database" in templates.columns_of(templates.parse(template, "topic="))


def topics_of(template: str, database: str, tables: Sequence[TableName]) -> dict[TableName, str]:
    """Return the topic of each table.

    Args:
        template: text with `{database}`, `{schema}` and `{table}`; what Kafka can't hold becomes `_`.
        database: name of the database; empty where a schema is one, as on MariaDB and MySQL.
        tables: of the stream.

    Raises:
        ConfigurationError: the template names something else, or tables share a topic; all of them are named.
    """
    parts = templates.parse(template, "topic=")
    if unknown := [name for name in templates.columns_of(parts) if name not in NAMES]:
        raise ConfigurationError(
            f"topic={template!r} names {', '.join(map(repr, unknown))} in braces, and a table's topic is made of"
            " {database}, {schema} and {table} alone; nothing was read. Correct topic="
        )
    found = {
        table: _filled(parts, {"database": database or table.schema, "schema": table.schema, "table": table.name})
        for table in tables
    }
    _refuse_shared(template, found)
    return found


def _filled(parts: templates.Template, names: Mapping[str, str]) -> str:
    return _OTHER.sub("_", "".join(part if isinstance(part, str) else names[part.column] for part in parts))


def _refuse_shared(template: str, found: Mapping[TableName, str]) -> None:
    tables: dict[str, list[str]] = {}
    for table, topic in found.items():
        tables.setdefault(topic, []).append(str(table))
    if shared := {topic: names for topic, names in tables.items() if len(names) > 1}:
        listed = "; ".join(f"{topic!r} by {' and '.join(names)}" for topic, names in shared.items())
        raise ConfigurationError(
            f"topic={template!r} gives one topic to several tables: {listed}; nothing was read. Put {{schema}} and"
            " {table} into topic=, or read tables whose names Kafka can't tell apart in streams of their own"
        )
