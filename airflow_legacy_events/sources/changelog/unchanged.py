"""Values that an update left out because they did not change, and topics that are compacted.

A compacted topic keeps the last message of each key. If that message lacks a value, the topic no longer has it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from typing import Any

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.sources.changelog.tables import LoggedTable
from airflow_legacy_events.sources.changelog.truncating import EVENT

UPDATED = "u"


class Unchanged:
    """Looks after the names of columns that an update left out.

    Args:
        truncations: the policy `on_truncate`.
        log: of the task.
    """

    def __init__(self, truncations: str, log: logging.Logger) -> None:
        self._truncations, self._log = truncations, log
        self._compacted: frozenset[str] = frozenset()
        self._warned: set[str] = set()

    def compacted(self, topics: Sequence[str]) -> None:
        """Take note of topics that are compacted.

        Raises:
            ConfigurationError: events of truncations are wanted, which have no key.
        """
        self._compacted = frozenset(topics)
        if self._truncations == EVENT:
            raise ConfigurationError(
                "on_truncate='event' sends messages without a key, which compacted topics refuse; nothing was read."
                f"\nSet on_truncate='fail' or 'skip', or cleanup.policy=delete on {', '.join(map(repr, topics))}"
            )

    def of(
        self, rows: list[tuple[Any, ...]], ops: Sequence[str], shape: Shape, table: LoggedTable
    ) -> list[tuple[Any, ...]]:
        """Return the rows with the names of those columns alone that `data` may hold.

        Warns once of a table whose topic is compacted and loses such a value by an update.

        Args:
            rows: of the log.
            ops: of the rows.
            shape: of them.
            table: whose rows they are.
        """
        at = shape.unchanged
        compacted = table.stream["topic"] in self._compacted and table.name not in self._warned
        if at is None or not (table.excluded or compacted) or all(row[at] is None for row in rows):
            return rows
        known = frozenset(shape.named(shape.data))
        found = [row if row[at] is None else (*row[:at], _within(row[at], known), *row[at + 1 :]) for row in rows]
        if compacted:
            updates = (row[at] for row, op in zip(found, ops, strict=True) if op == UPDATED)
            if named := next(filter(None, updates), None):
                self._warn(table, named)
        return found

    def _warn(self, table: LoggedTable, named: str) -> None:
        self._warned.add(table.name)
        self._log.warning(
            "%s: an update left out %s, which did not change; topic %r is compacted, so it loses the value.\nLet the"
            " log hold whole old rows (PostgreSQL: ALTER TABLE %s REPLICA IDENTITY FULL)",
            table.what,
            ", ".join(map(repr, json.loads(named))),
            table.stream["topic"],
            table.entry.written,
        )


def _within(named: str, known: Collection[str]) -> str | None:
    """Return the names that are known, as a JSON array; None if there are none."""
    return as_text([name for name in json.loads(named) if name in known])


def as_text(names: Sequence[str]) -> str | None:
    """Return names as a JSON array; None if there are none."""
    return json.dumps(names, ensure_ascii=False, separators=(",", ":")) if names else None
