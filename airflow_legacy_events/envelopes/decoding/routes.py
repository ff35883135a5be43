"""Routes: which table of the target a message is for."""

from __future__ import annotations

from collections.abc import Collection

from airflow_legacy_events.core.model.meaning import TableOf
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoding.arguments import placeholders

_OF_TOPIC = frozenset({"topic", "name"})


class Routes:
    """Finds the table of each message.

    Args:
        table: a name, or a template.
        allowed: tables that the template may name.

    Attributes:
        by_topic: whether the topic alone decides.
    """

    def __init__(self, table: str, allowed: Collection[str] | None) -> None:
        self._table, self._named = table, frozenset(placeholders(table))
        self._allowed = frozenset(allowed or ())
        self._found: dict[tuple[str, TableOf], str | None] = {}
        self._known: dict[str, TableOf | None] = {}
        self.by_topic = self._named <= _OF_TOPIC

    @property
    def fixed(self) -> tuple[str, ...]:
        """Tables that are known before any message: the only one, or the allowed ones."""
        return tuple(sorted(self._allowed)) if self._named else (self._table.format(),)

    def of(self, topic: str, source: TableOf) -> str | None:
        """Return the table that a message is for, None if that is not an allowed one.

        A message that does not say its table, such as a tombstone, has that of its topic if there has been only one.

        Raises:
            NotUnderstoodError: the template needs what neither the message nor its topic says.
        """
        if self.by_topic:
            source = TableOf()
        elif source == TableOf():
            source = self._known.get(topic) or source
        else:
            known = self._known.setdefault(topic, source)
            self._known[topic] = source if known == source else None
        at = (topic, source)
        if at not in self._found:
            self._found[at] = self._named_by(topic, source)
        return self._found[at]

    def _named_by(self, topic: str, source: TableOf) -> str | None:
        given = {
            "topic": topic,
            "name": topic.rpartition(".")[2],
            "database": source.database,
            "schema": source.schema,
            "source_table": source.name,
        }
        if missing := sorted(one for one in self._named if given[one] is None):
            names = ", ".join(f"{{{one}}}" for one in missing)
            raise NotUnderstoodError("VALUE", f"it does not say its table, and table= needs {names}")
        name = self._table.format(**given)
        return name if not self._named or name in self._allowed else None
