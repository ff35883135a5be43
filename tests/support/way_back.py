"""A table that goes through a topic in memory into a table of another database, as the operators send and apply it."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.brokers.memory import MemoryBroker, MemoryReader
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Stream
from airflow_legacy_events.core.relay import Relay
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.core.sink.delivery import AppliedDelivery
from airflow_legacy_events.envelopes.decoding.decoding import Decoding
from airflow_legacy_events.envelopes.decoding.options import DecodingOptions
from airflow_legacy_events.hooks.registry import BACKENDS, DECODERS, ENVELOPES, TARGETS, resolve
from airflow_legacy_events.sources.topic.source import TopicSource
from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.support.json_oracle import parsed
from tests.support.streams import Deliveries

TOPIC, _STREAM = "copied", "copied@dwh"
_LOG = logging.getLogger("tests")
_BOUNDS = re.compile(r"\A(?:\[-?\d+:-?\d+\])+=")

AMBIGUOUS = ("ints[]", "json[]", "jsonb[]")
"""Arrays of PostgreSQL whose elements may be arrays: JSON does not say where the elements begin."""


def carried(text: Any, type_: str) -> Any:
    """What JSON can carry: no array bounds other than 1, no JSON null beside NULL, no spelling of a document."""
    if type_ in ("json", "jsonb") and isinstance(text, str):
        return parsed(text)
    return _BOUNDS.sub("", text) if isinstance(text, str) and type_.endswith(("[]", "ints")) else text


def json_of_mysql(digits: Any, type_: str) -> Any:
    """What JSON can carry of a value of MySQL, whose JSON is read as hex."""
    return digits if digits is None or type_ != "json" else carried(bytes.fromhex(digits).decode(), type_)


def equal(
    one: Sequence[Any], other: Sequence[Any], types: Sequence[str], as_carried: Callable[[Any, str], Any], seed: int
) -> None:
    """Check that the rows of two tables are equal as far as messages carry them; each row begins with its id."""
    assert len(one) == len(other) > 0
    for row, found in zip(one, other, strict=True):
        assert row[0] == found[0]
        for type_, wanted, value in zip(types, row[1:], found[1:], strict=True):
            where = f"seed {seed}, row {row[0]}, type {type_}"
            assert as_carried(wanted, type_) == as_carried(value, type_), where


def sent(url: str, envelope: str, *, table: str = "t", **options: Any) -> MemoryBroker:
    """Send all rows of a table with the query operator's parts, and return the broker that has them."""
    broker = MemoryBroker()
    broker.open()
    made = resolve(ENVELOPES[envelope])()
    Deliveries(url, broker, TOPIC, table=table, envelope=made, options=options).run(batch_rows=Limits().batch_rows)
    return broker


def applied(broker: MemoryBroker, url: str, envelope: str, *, batch_rows: int = 10_000, **options: Any) -> Report:
    """Apply what lies on the broker with the sink operator's parts."""
    return run_sink(MemoryReader(broker), TOPIC, url, envelope, _STREAM, batch_rows, {"table": "t", **options})


def run_sink(
    reader: Any,
    topic: str,
    url: str,
    envelope: str,
    stream: str,
    batch_rows: int,
    options: Mapping[str, Any],
    *,
    around: Callable[[Any], Any] = lambda target: target,
    around_positions: Callable[[Any], Any] = lambda positions: positions,
) -> Report:
    """Run a sink once, without a lock; the reader ends with it.

    Args:
        reader: of the topic.
        topic: that is read.
        url: of the target.
        envelope: of the messages.
        stream: under which the position is kept.
        batch_rows: of a transaction.
        options: of `DecodingOptions`.
        around: returns the target as the delivery sees it.
        around_positions: returns the positions likewise.
    """
    place = sa.make_url(url)
    kind = BACKENDS.get(place.get_backend_name(), "generic")
    target = resolve(TARGETS[kind])("dwh", place, statement_timeout=dt.timedelta(seconds=60), log=_LOG)
    engine = sa.create_engine(place, poolclass=sa.NullPool)
    decoding = Decoding(resolve(DECODERS[envelope])(), target, DecodingOptions(**options), log=_LOG)
    limits = Limits(batch_rows=batch_rows)
    relay = Relay(
        stream=Stream(stream, "", "/", "copied"),
        source=TopicSource(reader=reader, topics=[topic], stream=stream, limits=limits, log=_LOG),
        envelope=decoding,
        delivery=lambda name, _, lease: AppliedDelivery(
            name,
            lease,
            target=around(target),
            positions=around_positions(TargetPositions(engine, "dwh")),
            log=_LOG,
        ),
        lock=lambda: contextlib.nullcontext(SimpleNamespace(check=lambda: None)),  # type: ignore[arg-type]
        facts={"kind": "topic"},
        limits=limits,
        log=_LOG,
    )
    try:
        decoding.open()
        return relay.run()
    finally:
        target.close()
        reader.close()
