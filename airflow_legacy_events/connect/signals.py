"""Signals to a Debezium connector: what is sent, and what must be there for it to be seen and answered.

https://debezium.io/documentation/reference/stable/configuration/signalling.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.connect.config import CLASS, entries
from airflow_legacy_events.core.errors import ConfigurationError

EXECUTE, STOP, PAUSE, RESUME = "execute-snapshot", "stop-snapshot", "pause-snapshot", "resume-snapshot"
SIGNALS = (EXECUTE, STOP, PAUSE, RESUME)
INCREMENTAL, BLOCKING = "incremental", "blocking"
SNAPSHOTS = (INCREMENTAL, BLOCKING)
SOURCE, KAFKA = "source", "kafka"
CHANNELS = (SOURCE, KAFKA)

_ENABLED, _TABLE, _TOPIC = "signal.enabled.channels", "signal.data.collection", "signal.kafka.topic"
_NOTIFIED, _NOTIFICATIONS = "notification.enabled.channels", "notification.sink.topic.name"
_COLUMNS = ("id", "type", "data")


class Signal(NamedTuple):
    """A signal.

    Attributes:
        kind: one of `SIGNALS`.
        snapshot: incremental or blocking.
        tables: that it is about; empty for one about all.
        conditions: SQL by table, for the rows of a snapshot.
    """

    kind: str
    snapshot: str
    tables: tuple[str, ...]
    conditions: Mapping[str, str]

    def data(self, plugin: str) -> dict[str, Any]:
        """Return its data, as Debezium reads it.

        An incremental snapshot takes a regular expression of a table and a condition, a blocking one takes the table's
        name and a whole statement.

        Args:
            plugin: class of the connector.
        """
        found: dict[str, Any] = {"type": self.snapshot.upper()}
        if self.tables:
            found["data-collections"] = [re.escape(one) for one in self.tables]
        if self.conditions:
            found["additional-conditions"] = [
                {"data-collection": re.escape(table), "filter": sql}
                if self.snapshot == INCREMENTAL
                else {"data-collection": table, "filter": _statement(plugin, table, sql)}
                for table, sql in self.conditions.items()
            ]
        return found


class Way(NamedTuple):
    """How a signal reaches a connector, and where it answers.

    Attributes:
        channel: source or kafka.
        place: the signal table or topic.
        notifications: topic of the connector's answers; None if it has none.
    """

    channel: str
    place: str
    notifications: str | None


def check_signal(signal: Signal) -> None:
    """Check the arguments of a signal.

    Raises:
        ConfigurationError: one is wrong, or has no effect.
    """
    if signal.kind == EXECUTE and not signal.tables:
        raise ConfigurationError("tables= is missing: name the tables of the snapshot, such as ['public.orders']")
    if signal.kind in (PAUSE, RESUME) and signal.tables:
        raise ConfigurationError(f"tables= has no effect with {signal.kind!r}, which is about the whole snapshot")
    if signal.kind != EXECUTE and signal.snapshot == BLOCKING:
        raise ConfigurationError(f"{signal.kind!r} is for incremental snapshots: a blocking one can't be interrupted")
    if signal.conditions and signal.kind != EXECUTE:
        raise ConfigurationError(f"conditions= has no effect with {signal.kind!r}")
    if unknown := sorted(set(signal.conditions) - set(signal.tables)):
        raise ConfigurationError(
            f"conditions= names {', '.join(map(repr, unknown))}, which tables= does not:"
            f" {', '.join(map(repr, signal.tables))}"
        )


def find_way(name: str, config: Mapping[str, str], channel: str | None, *, answered: bool) -> Way:
    """Return how a signal reaches a connector.

    Args:
        name: of the connector.
        config: of it.
        channel: that was requested; None: the first one that is usable.
        answered: whether the connector's answers are waited for.

    Raises:
        ConfigurationError: there is no such way, naming the property that is missing.
    """
    enabled = entries(config.get(_ENABLED, SOURCE))
    usable = {SOURCE: config.get(_TABLE, "").strip(), KAFKA: config.get(_TOPIC, "").strip()}
    chosen = channel or next((one for one in CHANNELS if one in enabled and usable[one]), None)
    if chosen is None or chosen not in enabled:
        said = "no channel that can be used" if chosen is None else f"not the channel {chosen!r}"
        raise ConfigurationError(
            f"connector {name!r} has {said}: set {_ENABLED}, and {_TABLE} for {SOURCE!r} or {_TOPIC} for {KAFKA!r}, or"
            f" give another channel=. It has {', '.join(enabled) or 'none'}"
        )
    if not usable[chosen]:
        missing = _TABLE if chosen == SOURCE else _TOPIC
        raise ConfigurationError(f"connector {name!r} has no {missing}, which channel {chosen!r} needs: set it")
    notified = config.get(_NOTIFICATIONS, "").strip() if "sink" in entries(config.get(_NOTIFIED)) else ""
    if answered and not notified:
        raise ConfigurationError(
            f"connector {name!r} sends no notifications, so the end of a signal would not be seen: set"
            f" {_NOTIFIED}=sink and {_NOTIFICATIONS}, or wait=False"
        )
    return Way(chosen, usable[chosen], notified or None)


def check_captured(name: str, config: Mapping[str, str], signal: Signal, way: Way) -> None:
    """Check that a connector captures the tables, and sees its signal table as a whole.

    Raises:
        ConfigurationError: it does not; the signal would be ignored.
    """
    for table in signal.tables:
        if not _captured(config, table):
            raise ConfigurationError(
                f"connector {name!r} does not capture table {table!r}, so a signal about it is ignored: correct the"
                f" name, or add it to table.include.list, which is {config.get('table.include.list')!r}"
            )
    if way.channel != SOURCE:
        return
    if not _captured(config, way.place) and "mongo" not in config.get("connector.class", "").lower():
        raise ConfigurationError(
            f"connector {name!r} does not capture its signal table {way.place!r}: add it to table.include.list"
        )
    cut = [one for one in _COLUMNS if not _has_column(config, f"{way.place}.{one}")]
    if cut:
        raise ConfigurationError(
            f"connector {name!r} leaves out {', '.join(cut)} of its signal table {way.place!r}: add"
            f" {way.place}.{cut[0]} to column.include.list, or take it out of column.exclude.list"
        )


def kafka_message(config: Mapping[str, str], id_: str, signal: Signal) -> tuple[str, str]:
    """Return key and value of a signal on its topic; another key than the topic prefix is ignored."""
    return config.get("topic.prefix", ""), json.dumps(
        {"id": id_, "type": signal.kind, "data": signal.data(config.get(CLASS, ""))}
    )


def _statement(plugin: str, table: str, condition: str) -> str:
    """Return what reads the rows of a table for a blocking snapshot; a whole statement stays as it is."""
    kind = plugin.lower()
    if "mongo" in kind or re.match(r"\s*(SELECT|WITH)\b", condition, re.IGNORECASE):
        return condition
    sign = "`" if "mysql" in kind or "mariadb" in kind else '"'
    parts = table.split(".", 2 if "sqlserver" in kind or "oracle" in kind else 1)
    if "oracle" in kind:
        parts = parts[-2:]  # the first one is the database, which SQL can't name there
    named = ".".join(sign + part.replace(sign, sign * 2) + sign for part in parts)
    return f"SELECT * FROM {named} WHERE {condition}"  # noqa: S608  the condition is SQL


def _captured(config: Mapping[str, str], table: str) -> bool:
    included, excluded = config.get("table.include.list"), config.get("table.exclude.list")
    if included:
        return _matches(included, table)
    return not (excluded and _matches(excluded, table))


def _has_column(config: Mapping[str, str], column: str) -> bool:
    included, excluded = config.get("column.include.list"), config.get("column.exclude.list")
    if included:
        return _matches(included, column)
    return not (excluded and _matches(excluded, column))


def _matches(patterns: str, name: str) -> bool:
    """Whether one of Debezium's patterns, which are anchored and ignore case, is for a name."""
    for pattern in entries(patterns):
        try:
            if re.fullmatch(pattern, name, re.IGNORECASE):
                return True
        except re.error:  # of Java alone
            return True
    return False


def tables_of(tables: Sequence[str] | None) -> tuple[str, ...]:
    """Return the tables as given.

    Raises:
        ConfigurationError: they are no list of names.
    """
    if tables is None:
        return ()
    if isinstance(tables, str) or not all(isinstance(one, str) and "." in one for one in tables):
        raise ConfigurationError(f"tables= must be a list of names such as 'public.orders'; found {tables!r}")
    return tuple(dict.fromkeys(tables))
