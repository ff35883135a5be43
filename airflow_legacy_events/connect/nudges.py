"""Nudge: a harmless write that makes a quiet log move, so that a connector's offset passes what was committed before.

On a quiet source an offset never reaches the end of the log: PostgreSQL's stays at the last row, that of MariaDB and
MySQL at the start of the last transaction, heartbeats or not.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping

from airflow_legacy_events.connect.config import entries
from airflow_legacy_events.connect.names import spelled
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import ConnectedDatabase

AUTO, NEVER = "auto", "never"
PREFIX = "legacy-events"
"""Of logical messages; they land on `<topic.prefix>.message` of every Debezium connector of the database."""

SIGNAL_TABLE = "signal.data.collection"
_DEFAULT_PLUGIN = "decoderbufs"
_MESSAGE = "m"
_LONGEST_NAME = 42


def nudge(name: str, config: Mapping[str, str]) -> Callable[[ConnectedDatabase], None]:
    """Return what makes the log of a connector's database move.

    Args:
        name: of the connector.
        config: of it.

    Raises:
        ConfigurationError: the connector's config shuts it out, or there is no way.
    """
    content = json.dumps({"message": f"caught up? {name}"[:_LONGEST_NAME]})

    def write(database: ConnectedDatabase) -> None:
        pgoutput = config.get("plugin.name", _DEFAULT_PLUGIN).strip().lower() == "pgoutput"
        if pgoutput and database.emits():
            _refuse_shut_out(name, config)
            database.emit(PREFIX, content)
            return
        table = signal_table(name, config)
        publication = config.get("publication.name", "dbz_publication")
        if pgoutput and database.published(publication, table) is False:
            raise ConfigurationError(
                f"signal table {table!r} is in no publication of connector {name!r}, so that a row in it is not seen:"
                f" add it\nALTER PUBLICATION {spelled(publication)} ADD TABLE {spelled(*table.split('.', 1))}"
            )
        database.signal(table, f"{PREFIX}-{uuid.uuid4().hex[:20]}", "log", content)

    return write


def signal_table(name: str, config: Mapping[str, str]) -> str:
    """Return the signal table of a connector.

    Raises:
        ConfigurationError: it has none.
    """
    table = config.get(SIGNAL_TABLE, "").strip()
    if "." not in table:
        raise ConfigurationError(
            f"nudge='auto' needs a signal table of connector {name!r}: set {SIGNAL_TABLE} in its config, or"
            " nudge='never' and wait for traffic. Its log has no other harmless write"
        )
    return table


def _refuse_shut_out(name: str, config: Mapping[str, str]) -> None:
    include, exclude = (config.get(f"message.prefix.{kind}.list") for kind in ("include", "exclude"))
    key = None
    if include and not _matches(include):
        key = "message.prefix.include.list"
    elif exclude and _matches(exclude):
        key = "message.prefix.exclude.list"
    elif _MESSAGE in entries(config.get("skipped.operations")):
        key = "skipped.operations"
    if key is not None:
        raise ConfigurationError(
            f"connector {name!r} shuts out the message of nudge='auto': let its prefix {PREFIX!r} pass {key}, or set"
            f" nudge='never' and wait for traffic. {key} is {config[key]!r}"
        )


def _matches(patterns: str) -> bool:
    """Return whether one of the expressions is for our prefix; Debezium anchors them, and ignores case."""
    for pattern in entries(patterns):
        try:
            if re.fullmatch(pattern, PREFIX, re.IGNORECASE):
                return True
        except re.error:  # of Java alone
            continue
    return False
