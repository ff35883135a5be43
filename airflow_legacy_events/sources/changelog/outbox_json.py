"""Outbox events in logical messages: a JSON object with the members of a layout."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_legacy_events.core import zones
from airflow_legacy_events.sources.roles import LAYOUTS

MEMBERS: Mapping[str, str] = {**LAYOUTS["debezium"], "timestamp": "timestamp", "headers": "headers"}
"""Name of a member by its role, in the order of the values that `values_of` returns; see `_TIMES` for the timestamp."""

_NEEDED = ("id", "aggregatetype", "aggregateid", "type", "payload")
_TIMES = ("timestamp", LAYOUTS["debezium"]["timestamp"])
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
_INTEGER = re.compile(rb"-?[0-9]+")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_string = msgspec.json.Decoder(str).decode


class NoEventError(Exception):
    """A message is no outbox event.

    Attributes:
        why: as a clause, without the message's content.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def values_of(content: str | bytes, timezone: str) -> tuple[Any, ...]:
    """Return the values of an outbox event by `MEMBERS`.

    The payload is a JSON value, kept as it is written; one that is a string is the text within it, and null is None.
    The headers are JSON too. The timestamp is in milliseconds since 1970-01-01 UTC. Other members are passed over.

    Args:
        content: of the message; bytes are no text.
        timezone: of a timestamp without an offset.

    Raises:
        NoEventError: it is something else.
    """
    if isinstance(content, bytes):
        raise NoEventError("it is not text in the database's encoding")
    try:
        members = {name: bytes(raw) for name, raw in _members(content).items()}
    except (msgspec.DecodeError, RecursionError):
        raise NoEventError("it is not a JSON object") from None
    if missing := [name for name in _NEEDED if name not in members]:
        raise NoEventError(f"it has no member {', '.join(map(repr, missing))}")
    payload, headers = members["payload"], members.get("headers", b"null")
    return (
        *(_text(name, members[name]) for name in ("id", "aggregatetype", "aggregateid")),
        None if members["type"] == b"null" else _text("type", members["type"]),
        None if payload == b"null" else _unquoted("payload", payload),
        _time(members, timezone),
        None if headers == b"null" else headers.decode(),
    )


def _text(name: str, raw: bytes) -> str:
    if not (raw[:1] == b'"' or _INTEGER.fullmatch(raw)):
        raise NoEventError(f"its member {name!r} is neither a string nor an integer")
    return _unquoted(name, raw)


def _unquoted(name: str, raw: bytes) -> str:
    """Return the text within a JSON string, and any other JSON value as it is written."""
    try:
        return _string(raw) if raw[:1] == b'"' else raw.decode()
    except msgspec.DecodeError:
        raise NoEventError(f"its member {name!r} is not valid JSON") from None


def _time(members: Mapping[str, bytes], timezone: str) -> int | None:
    name = next((one for one in _TIMES if members.get(one, b"null") != b"null"), None)
    if name is None:
        return None
    raw = members[name]
    if _INTEGER.fullmatch(raw):
        found = int(raw)
    elif (moment := _moment(raw, timezone)) is not None:
        found = (moment - _EPOCH) // _MILLISECOND
    else:
        found = 0
    if not 0 < found < 1 << 63:
        raise NoEventError(f"its member {name!r} is neither a time after the beginning of 1970 nor its milliseconds")
    return found


def _moment(raw: bytes, timezone: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(_string(raw))
        return found if found.tzinfo is not None else found.replace(tzinfo=zones.zone_named(timezone))
    except (ValueError, OverflowError):
        return None
