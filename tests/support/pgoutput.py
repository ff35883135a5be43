"""Encoder of pgoutput's messages, as a walsender sends them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import pack

from airflow_legacy_events.databases.postgres.changelog.walsender import PADDING

UNCHANGED = object()
"""A value that was stored out of line and did not change."""


def within(payload: bytes) -> bytes:
    """XLogData with a message of the plugin, as the reader takes it."""
    return b"w" + pack(">QQQ", 2**63 + 1, 2**63 + 2, 800_000_000_000_000) + payload + PADDING


def begin(place: int, microseconds: int, xid: int) -> bytes:
    return within(b"B" + pack(">QqI", place, microseconds, xid))


def commit(place: int, end: int) -> bytes:
    return within(b"C" + pack(">BQQq", 0, place, end, 0))


def relation(oid: int, schema: str, name: str, identity: str, columns: Iterable[tuple[bool, str, int, int]]) -> bytes:
    """A relation; columns are whether they are of the identity, name, type and modifier."""
    found = [pack(">B", flag) + text.encode() + b"\0" + pack(">Ii", type_, mod) for flag, text, type_, mod in columns]
    head = pack(">I", oid) + schema.encode() + b"\0" + name.encode() + b"\0" + identity.encode()
    return within(b"R" + head + pack(">H", len(found)) + b"".join(found))


def row(values: Sequence[object]) -> bytes:
    """A tuple; None is NULL."""
    found = [pack(">H", len(values))]
    for value in values:
        if value is None or value is UNCHANGED:
            found.append(b"n" if value is None else b"u")
        else:
            text = value if isinstance(value, bytes) else str(value).encode()
            found.append(b"t" + pack(">I", len(text)) + text)
    return b"".join(found)


def insert(oid: int, new: Sequence[object]) -> bytes:
    return within(b"I" + pack(">I", oid) + b"N" + row(new))


def update(oid: int, new: Sequence[object], kind: str = "", old: Sequence[object] = ()) -> bytes:
    """An update; kind is `K` or `O` where it has an old row."""
    before = kind.encode() + row(old) if kind else b""
    return within(b"U" + pack(">I", oid) + before + b"N" + row(new))


def delete(oid: int, kind: str, old: Sequence[object]) -> bytes:
    return within(b"D" + pack(">I", oid) + kind.encode() + row(old))


def truncate(*oids: int) -> bytes:
    return within(b"T" + pack(">IB", len(oids), 0) + b"".join(pack(">I", oid) for oid in oids))


def message(prefix: str, content: bytes, transactional: bool = True) -> bytes:
    return within(b"M" + pack(">BQ", transactional, 5) + prefix.encode() + b"\0" + pack(">I", len(content)) + content)


def type_(oid: int, schema: str, name: str) -> bytes:
    return within(b"Y" + pack(">I", oid) + schema.encode() + b"\0" + name.encode() + b"\0")


def keepalive(end: int, asks: bool) -> bytes:
    return b"k" + pack(">Qq?", end, 0, asks) + PADDING
