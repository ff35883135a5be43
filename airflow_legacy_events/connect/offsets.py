"""Offsets of a connector that a person writes: their form, and whether they can be those of this connector."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.connect.config import CLASS, entries, is_debezium_source
from airflow_legacy_events.connect.conflicts import slot_of
from airflow_legacy_events.connect.positions import place_of, same_log, sink_offsets
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Bounds, LogPlace, Partition, SourceSlot

Offsets = list[dict[str, Any]]

_SERVER = frozenset({"server"})
_SINK_PARTITION, _SINK_OFFSET = frozenset({"kafka_topic", "kafka_partition"}), frozenset({"kafka_offset"})
_DEMANDED = {"postgres": frozenset({"lsn"}), "mysql": frozenset({"file", "pos"}), "mariadb": frozenset({"file", "pos"})}
_KNOWN = re.compile(
    r"lsn|lsn_proc|lsn_commit|txId|ts_usec|messageType|xmin|file|pos|gtids|row|event|server_id|ts_sec|ts_ms"
    r"|snapshot|snapshot_completed|last_snapshot_record|transaction_.*|incremental_snapshot_.*"
)
"""Fields of the offsets of Debezium's connectors for PostgreSQL, MariaDB and MySQL; not all are there at any time."""
_FORCE = "or set force=True"
_NUMBERS, _TEXTS = frozenset({"lsn", "pos", "kafka_partition", "kafka_offset"}), frozenset({"file", "kafka_topic"})


def read_offsets(given: Any, argument: str) -> Offsets:
    """Return offsets that were given: a list, or Connect's own JSON `{"offsets": […]}`, as a mapping or text.

    Raises:
        ConfigurationError: they are of another form.
    """
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise ConfigurationError(f"{argument} holds no JSON: it must be what action='backup' writes") from None
    if isinstance(given, Mapping):
        given = given.get("offsets")
    if isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
        raise ConfigurationError(
            f"{argument} must be a list of offsets, each with partition and offset, or Connect's own"
            ' {"offsets": [...]}; found none'
        )
    for one in given:
        if not isinstance(one, Mapping) or set(one) != {"partition", "offset"}:
            raise ConfigurationError(f"each of {argument} must have exactly the members 'partition' and 'offset'")
        if not isinstance(one["partition"], Mapping) or not isinstance(one["offset"], (Mapping, type(None))):
            raise ConfigurationError(f"partition and offset of each of {argument} must be objects")
    _refuse_twice(given, argument)
    return [{"partition": dict(one["partition"]), "offset": one["offset"] and dict(one["offset"])} for one in given]


def to_text(offsets: Offsets) -> str:
    """Return offsets as Connect's own JSON."""
    return json.dumps({"offsets": offsets}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def replacing(wanted: Offsets, live: Offsets) -> Offsets:
    """Return what must be written so that exactly `wanted` is left: partitions that it lacks are removed."""
    kept = [_canonical(one["partition"]) for one in wanted]
    gone = [{"partition": one["partition"], "offset": None} for one in live if _canonical(one["partition"]) not in kept]
    return [*wanted, *gone]


def equal(one: Offsets, other: Offsets) -> bool:
    """Whether two lists hold the same offsets; one without an offset counts as absent."""
    return _by_partition(one) == _by_partition(other)


def refuse_strange(name: str, config: Mapping[str, str], wanted: Offsets, live: Offsets) -> None:
    """Check that offsets have partitions and fields of the live ones, else of the connector's known form.

    Kafka Connect takes anything, and the connector starts over or fails.

    Raises:
        ConfigurationError: names what differs.
    """
    known = {_canonical(one["partition"]) for one in live}
    _refuse_unread(name, config, wanted)
    fields = {field for one in live for field in (one["offset"] or {})}
    for one in wanted:
        if known and _canonical(one["partition"]) not in known and not _is_sink(one):
            raise ConfigurationError(
                f"connector {name!r} has no offset of partition {json.dumps(one['partition'])}: take one of its own,"
                f" {_FORCE}. It has {', '.join(sorted(known))}"
            )
        _refuse_form(name, config, one, fields)


def refuse_outside_log(
    name: str, config: Mapping[str, str], wanted: Offsets, end: LogPlace, slot: SourceSlot | None
) -> None:
    """Check that offsets lie in the log of their database, and not below what its slot keeps.

    Raises:
        ConfigurationError: the connector would fail at its next start, or lose rows.
    """
    prefix = config.get("topic.prefix")
    for one in wanted:
        if not one["offset"] or one["partition"].get("server") not in (None, prefix):
            continue
        place = place_of(one["offset"])
        if not same_log(place, end) or place.order > end.order:
            raise ConfigurationError(
                f"offset {place.text} for connector {name!r} is beyond the log of its database, which ends at"
                f" {end.text}: take a lower one, {_FORCE}"
            )
        if slot is not None and slot.confirmed is not None and place.order < slot.confirmed.order:
            raise ConfigurationError(
                f"offset {place.text} for connector {name!r} is below {slot.confirmed.text}, up to which its slot"
                f" {slot.name!r} is confirmed: the changes between are no longer kept. Take a higher one, {_FORCE}"
            )


def refuse_outside_topics(name: str, wanted: Offsets, bounds: Mapping[Partition, Bounds]) -> None:
    """Check that the offsets of a sink lie within its topics.

    Raises:
        ConfigurationError: a topic is not there, or an offset is outside its log: with one above the end nothing is
            read until the end has passed it.
    """
    for at, offset in sink_offsets(wanted).items():
        if at not in bounds:
            raise ConfigurationError(
                f"connector {name!r} would get an offset of topic {at.topic!r}, partition {at.number}, which is not"
                f" there: correct it, {_FORCE}"
            )
        start, end = bounds[at]
        if not start <= offset <= end:
            raise ConfigurationError(
                f"offset {offset} of topic {at.topic!r}, partition {at.number}, is outside its log, which goes from"
                f" {start} to {end}: correct it, {_FORCE}"
            )


def _refuse_form(name: str, config: Mapping[str, str], one: Mapping[str, Any], fields: set[str]) -> None:
    partition, offset = frozenset(one["partition"]), one["offset"]
    if offset is None:
        return
    demanded = _demanded(config)
    if demanded is None:
        right = not fields or set(offset) <= fields
    elif demanded is _SINK_OFFSET:
        right = partition == _SINK_PARTITION and frozenset(offset) == _SINK_OFFSET
    else:
        strange = [field for field in offset if field not in fields and _KNOWN.fullmatch(field) is None]
        right = partition == _SERVER and demanded <= set(offset) and not strange
    odd = [] if demanded is None else _of_other_types({**one["partition"], **offset})
    if not right or odd:
        raise ConfigurationError(
            f"connector {name!r} ({config.get(CLASS)}) has offsets of another form: take the one that action='get'"
            f" returns, and change its values, {_FORCE}. Given were partition {sorted(partition)} and offset"
            f" {sorted(offset)}{f', with a value of another type in {odd}' if odd else ''}"
        )


def _refuse_twice(given: Sequence[Mapping[str, Any]], argument: str) -> None:
    named = [_canonical(one["partition"]) for one in given]
    if twice := sorted({one for one in named if named.count(one) > 1}):
        raise ConfigurationError(f"{argument} names a partition twice: leave one out. It is {', '.join(twice)}")


def _of_other_types(fields: Mapping[str, Any]) -> list[str]:
    """Return the fields that hold no text or no whole number, where the connector needs one."""
    numbers = [one for one in _NUMBERS & set(fields) if type(fields[one]) is not int or fields[one] < 0]
    return sorted([*numbers, *(one for one in _TEXTS & set(fields) if not isinstance(fields[one], str))])


def _refuse_unread(name: str, config: Mapping[str, str], wanted: Offsets) -> None:
    """Check that a sink reads the topics: an offset of another one has no effect."""
    named, pattern = entries(config.get("topics")), config.get("topics.regex")
    for one in wanted:
        topic = one["partition"].get("kafka_topic")
        if not isinstance(topic, str) or topic in named or not (named or pattern):
            continue
        if named or not _fits(str(pattern), topic):
            raise ConfigurationError(
                f"connector {name!r} does not read topic {topic!r}: take one of its own, {_FORCE}. It reads"
                f" {', '.join(named) or pattern}"
            )


def _fits(pattern: str, topic: str) -> bool:
    try:
        return re.fullmatch(pattern, topic) is not None
    except re.error:  # of Java alone
        return True


def _demanded(config: Mapping[str, str]) -> frozenset[str] | None:
    """Return the fields that an offset of the connector must have; None if its form is not known."""
    if config.get("topics") or config.get("topics.regex"):
        return _SINK_OFFSET
    if not is_debezium_source(config):
        return None
    if slot_of(config) is not None:
        return _DEMANDED["postgres"]
    return next((fields for kind, fields in _DEMANDED.items() if kind in config.get(CLASS, "").lower()), None)


def _is_sink(one: Mapping[str, Any]) -> bool:
    return frozenset(one["partition"]) == _SINK_PARTITION


def _by_partition(offsets: Offsets) -> dict[str, Any]:
    return {_canonical(one["partition"]): one["offset"] for one in offsets if one["offset"] is not None}


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
