"""Triggers of MariaDB and MySQL: each is one statement, so no client needs another delimiter."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_legacy_events.cli.outbox.ddl import FILLED
from airflow_legacy_events.cli.outbox.model import Capture, Dialect, Installed, Name, Outbox, Place, Trigger
from airflow_legacy_events.cli.outbox.mysql_catalog import (
    find_outbox,
    find_place,
    find_strangers,
    find_triggers,
    shown_body,
)
from airflow_legacy_events.cli.outbox.mysql_values import key_of, payload_of
from airflow_legacy_events.cli.outbox.quoting import mysql_literal, other_name, quoted
from airflow_legacy_events.core.ports import Reflection
from airflow_legacy_events.databases.table_names import QUOTES

# INSERT … SELECT locks the auto-increment counter for the whole statement, so it is used only for changed keys.
_BODIES = {
    "created": ("INSERT", "{insert} VALUES ({type}, {new_key}, 'created', {new})"),
    "rekeyed": ("UPDATE", "{insert} SELECT {type}, {old_key}, 'deleted', {old} FROM DUAL WHERE NOT {same}"),
    "updated": (
        "UPDATE",
        "{insert} VALUES ({type}, {new_key}, CASE WHEN {same} THEN 'updated' ELSE 'created' END, {new})",
    ),
    "deleted": ("DELETE", "{insert} VALUES ({type}, {old_key}, 'deleted', {old})"),
}


class Mysql(Dialect):
    """MariaDB 10.2.3 and later, MySQL 5.7.8 and later."""

    quotes = QUOTES["mysql"]
    suffixes = tuple(f"_outbox_{kind}" for kind in _BODIES)

    def place(self, found: Reflection) -> Place:
        """See `Dialect.place`."""
        return find_place(self.rows, found)

    def outbox(self, schema: str | None, name: str) -> Outbox:
        """See `Dialect.outbox`."""
        return find_outbox(self.rows, schema, name)

    def triggers(self, capture: Capture) -> tuple[Trigger, ...]:
        """See `Dialect.triggers`; of two for one event, the one created first fires first."""
        old_key, new_key = key_of("OLD", capture.key), key_of("NEW", capture.key)
        values = {
            "insert": _insert(capture),
            "type": mysql_literal(capture.aggregate_type),
            "old_key": old_key,
            "new_key": new_key,
            "same": f"(CAST({old_key} AS BINARY) = CAST({new_key} AS BINARY))",
            "old": payload_of("OLD", capture.columns),
            "new": payload_of("NEW", capture.columns),
        }
        found = []
        for suffix, (event, template) in zip(self.suffixes, _BODIES.values(), strict=True):
            name, body = other_name(capture.table.name, suffix), template.format(**values)
            create = (
                f"CREATE TRIGGER {_quoted(capture.table._replace(name=name))} AFTER {event}"
                f" ON {_quoted(capture.table)} FOR EACH ROW {body}"
            )
            found.append(Trigger(name, create, shown_body("AFTER", event, body)))
        return tuple(found)

    def installed(self, capture: Capture) -> tuple[Installed, ...]:
        """See `Dialect.installed`."""
        return find_triggers(self.rows, capture.table, _insert(capture))

    def strangers(self, capture: Capture) -> list[str]:
        """See `Dialect.strangers`."""
        return find_strangers(self.rows, capture.table, [one.name for one in self.triggers(capture)])

    def script(self, capture: Capture, stale: Sequence[Installed]) -> str:
        """See `Dialect.script`; each statement commits, so a lock blocks writers meanwhile."""
        triggers = self.triggers(capture)
        names = (*(one.name for one in stale), *(one.name for one in triggers))
        statements = [
            "SET NAMES utf8mb4",
            f"LOCK TABLES {_quoted(capture.table)} WRITE",
            *(f"DROP TRIGGER IF EXISTS {_quoted(capture.table._replace(name=name))}" for name in names),
            *(one.create for one in triggers),
            "UNLOCK TABLES",
        ]
        return ";\n".join(statements) + ";\n"


def _quoted(name: Name) -> str:
    return quoted(*name, sign="`")


def _insert(capture: Capture) -> str:
    return f"INSERT INTO {_quoted(capture.outbox)} {FILLED}"
