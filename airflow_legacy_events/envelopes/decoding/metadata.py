"""Metadata: what is known of a message beside its row, for columns of the target."""

from __future__ import annotations

import binascii
import datetime as dt
from collections.abc import Callable
from typing import TypeAlias

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import DELETE, Received
from airflow_legacy_events.core.model.meaning import Form, Meaning, Wire
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoding.arguments import HEADER

Fact: TypeAlias = Callable[[Received, int, Meaning], Wire | None]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.SINGLE})

KINDS = {
    "partition": Kind.INTEGER,
    "offset": Kind.INTEGER,
    "timestamp": Kind.INSTANT,
    "event_time": Kind.INSTANT,
}
"""Kinds of columns that are made for metadata; all others are texts."""


def fact(name: str, kind: Kind) -> Fact:
    """Return what finds a value of a message, for a column of some kind.

    Timestamps are times, in a column of numbers milliseconds since 1970-01-01 UTC. Keys and headers are texts, in a
    column of bytes their bytes.
    """
    if name.startswith(HEADER):
        return _header(name.removeprefix(HEADER), kind)
    if name == "key":
        return lambda received, at, _: _plain(received.keys[at], kind, "the key")
    if name == "timestamp":
        return lambda received, at, _: moment(received.timestamps[at], kind)
    return _FACTS[name]


def moment(milliseconds: int | None, kind: Kind) -> Wire | None:
    """Return the timestamp of a message."""
    if milliseconds is None:
        return None
    if kind in _NUMBERS:
        return Wire(Form.NUMBER, str(milliseconds))
    try:
        found = _EPOCH + dt.timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise NotUnderstoodError("VALUE", "its timestamp is out of range") from None
    return Wire(Form.TEXT, found.isoformat(timespec="milliseconds"))


def said(meaning: Meaning) -> str:
    """Return how a message names its operation; an upsert without a name is `u`."""
    return meaning.said or ("d" if meaning.op == DELETE else "u")


def _header(name: str, kind: Kind) -> Fact:
    def find(received: Received, at: int, _: Meaning) -> Wire | None:
        values = [value for one, value in received.headers[at] if one == name]
        return _plain(values[-1] if values else None, kind, f"the header {name}")

    return find


def _plain(value: bytes | None, kind: Kind, what: str) -> Wire | None:
    if value is None:
        return None
    if kind is Kind.BYTES:
        return Wire(Form.TEXT, binascii.b2a_base64(value, newline=False).decode())
    try:
        return Wire(Form.TEXT, value.decode())
    except UnicodeDecodeError:
        raise NotUnderstoodError("VALUE", f"{what} is no UTF-8") from None


def _text(value: str | None) -> Wire | None:
    return None if value is None else Wire(Form.TEXT, value)


_FACTS: dict[str, Fact] = {
    "topic": lambda received, at, _: _text(received.topics[at]),
    "partition": lambda received, at, _: Wire(Form.NUMBER, str(received.partitions[at])),
    "offset": lambda received, at, _: Wire(Form.NUMBER, str(received.offsets[at])),
    "event_id": lambda _received, _at, meaning: _text(meaning.id),
    "event_time": lambda _received, _at, meaning: _text(meaning.time),
    "op": lambda _received, _at, meaning: _text(said(meaning)),
}
