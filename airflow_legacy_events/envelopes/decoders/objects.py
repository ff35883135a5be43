"""JSON objects of messages, whose members keep the text that was written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.model.meaning import Fields, Form, Wire
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders.wire import wire

Members = Mapping[str, msgspec.Raw]

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NAMES = msgspec.json.Decoder(list[str])
_TEXTS = msgspec.json.Decoder(list[str | None])
_NO_JSON = (msgspec.DecodeError, ValueError, RecursionError)  # a ValueError is also a text that is no UTF-8


def members(value: bytes | msgspec.Raw, what: str) -> Members:
    """Return the members of a JSON object.

    Raises:
        NotUnderstoodError: it is none, or has a member twice.
    """
    try:
        found = _OBJECT.decode(value)
        twice = len(memoryview(value)) != compact_length(found) and repeats(value, len(found))
    except _NO_JSON:
        raise NotUnderstoodError("NOT_JSON", f"{what} is no JSON object") from None
    if twice:
        raise NotUnderstoodError("NOT_JSON", f"{what} has a member more than once")
    return found


def compact_length(found: Members) -> int:
    """Return the bytes of an object without spaces, each member once; every other way to write it is longer."""
    return 1 + sum([len(name.encode()) + 4 + len(memoryview(raw)) for name, raw in found.items()]) + (not found)


def repeats(written: bytes | msgspec.Raw, count: int) -> bool:
    """Whether a JSON object has more members than `count`, the number of different ones."""
    counts: list[int] = []
    json.loads(
        bytes(written), object_pairs_hook=lambda pairs: counts.append(len(pairs)), parse_int=str, parse_float=str
    )
    return counts[-1] != count  # the outermost object ends last


def fields(value: bytes | msgspec.Raw, what: str) -> Fields:
    """Return the members of a JSON object as values of a row.

    Raises:
        NotUnderstoodError: it is none.
    """
    return wires(members(value, what), what)


def optional_fields(value: msgspec.Raw, what: str) -> Fields | None:
    """Return the same, None for null."""
    return None if bytes(value) == b"null" else fields(value, what)


def wires(found: Members, what: str) -> Fields:
    """Return members as values of a row.

    Raises:
        NotUnderstoodError: a text among them is no UTF-8.
    """
    try:
        return {name: wire(raw) for name, raw in found.items()}
    except _NO_JSON:
        raise NotUnderstoodError("NOT_JSON", f"a member of {what} is no JSON") from None


def text_of(found: Members, name: str) -> str | None:
    """Return the text of a member, None where there is none, or it is something else."""
    raw = found.get(name)
    value = None if raw is None else wires({name: raw}, "the message")[name]
    return value.text if value is not None and value.form is Form.TEXT else None


def names_in(text: str | None, what: str) -> Sequence[str]:
    """Return the names in a text that holds a JSON array of them.

    Raises:
        NotUnderstoodError: it holds none.
    """
    if text is None:
        return ()
    try:
        return _NAMES.decode(text)
    except _NO_JSON:
        raise NotUnderstoodError("NOT_JSON", f"{what} is no JSON array of names") from None


def key_of_texts(key: bytes, names: Sequence[str]) -> Fields:
    """Return the fields of a key that is a text, or a JSON array of texts if there are several.

    Raises:
        NotUnderstoodError: it has another number of values.
    """
    try:
        values = [key.decode()] if len(names) == 1 else _TEXTS.decode(key)
    except _NO_JSON:
        raise NotUnderstoodError("NO_KEY", "the key is no JSON array of texts") from None
    if len(values) != len(names):
        raise NotUnderstoodError("NO_KEY", f"the key has {len(values)} values, and the table's {len(names)}")
    return {name: None if one is None else Wire(Form.TEXT, one) for name, one in zip(names, values, strict=True)}


def header(received: Received, at: int, name: str) -> str | None:
    """Return the last header of a name, None if there is none or it is no text."""
    found: Any = None
    for one, value in received.headers[at]:
        if one == name:
            found = value
    try:
        return None if found is None else found.decode()
    except UnicodeDecodeError:
        return None
