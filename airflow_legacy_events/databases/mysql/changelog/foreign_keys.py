"""Changes that foreign keys make to child tables, which most servers do not log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.mysql.changelog.server import LogServer, spelled
from airflow_legacy_events.databases.mysql.changelog.session import LogSession

_DOING = "looking at the foreign keys"
# MariaDB shows the rules of foreign keys to those alone who may do more than read.
_CHILDREN = """
SELECT DISTINCT table_name FROM information_schema.key_column_usage
 WHERE table_schema = %s AND referenced_table_name IS NOT NULL
"""
_NAME = r"`(?:[^`]|``)+`|\"(?:[^\"]|\"\")+\""
_KEY = re.compile(
    rf"^\s*CONSTRAINT (?P<name>{_NAME}) FOREIGN KEY \((?P<columns>.+?)\) REFERENCES (?P<parent>(?:(?:{_NAME})\.?)+)"
    r" \((?P<keys>.+?)\)(?P<rules>(?: ON (?:DELETE|UPDATE) [A-Z ]+?)*),?$",
    re.MULTILINE,
)
_RULE = re.compile(r"ON (DELETE|UPDATE) (CASCADE|SET NULL|SET DEFAULT)")


def unlogged(session: LogSession, server: LogServer, tables: Sequence[TableName]) -> list[str]:
    """Return in words which changes of these tables the server does not log; see `core.ports.ChangeLog.unlogged`."""
    if server.logs_foreign_keys:
        return []
    found: list[str] = []
    for schema in dict.fromkeys(one.schema for one in tables):
        children = {str(name) for (name,) in session.ask(_DOING, _CHILDREN, schema)}
        for table in tables:
            if table.schema == schema and table.name in children:
                [(_, statement)] = session.ask(_DOING, f"SHOW CREATE TABLE {spelled(*table)}")
                found += _of(table, str(statement), server)
    return found


def _of(table: TableName, statement: str, server: LogServer) -> Iterator[str]:
    for key in _KEY.finditer(statement):
        if rules := _RULE.findall(key["rules"]):
            acts = " and ".join(f"ON {event} {action}" for event, action in rules)
            setting = "set innodb_native_foreign_keys = OFF, or " if server.is_on("innodb_native_foreign_keys") else ""
            yield (
                f"{server.title} does not log what foreign key {key['name']} of {table} changes by {acts}: {setting}let"
                " a trigger, or the application, change the child rows, whose changes are logged:"
                f" ALTER TABLE {spelled(*table)} DROP FOREIGN KEY {key['name']}"
            )
