"""Random relations and changes as bytes of pgoutput: what is read is what was written."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.core.columns import ABSENT, Column, Kind
from airflow_legacy_events.core.model.log import LogForm, LogPosition, TableName
from airflow_legacy_events.databases.postgres.changelog import pgoutput
from airflow_legacy_events.databases.postgres.changelog.changes import Changes
from airflow_legacy_events.databases.postgres.changelog.collecting import Collector
from airflow_legacy_events.databases.postgres.changelog.transaction import Transaction
from airflow_legacy_events.databases.postgres.changelog.tuples import Tuples
from tests.support import pgoutput as bytes_of

KEYS = st.sampled_from(["", "a", "é"])
VALUES = st.one_of(st.none(), st.text(max_size=5), st.sampled_from(["x" * 127, "x" * 128, "é" * 200, "x" * 70_000]))
LATER = st.one_of(VALUES, st.just(bytes_of.UNCHANGED))


@st.composite
def relations(draw: Any) -> tuple[int, list[str], bool]:
    """How many columns make the key, the names of all, and whether old rows are whole."""
    key = draw(st.integers(1, 2))
    names = draw(st.lists(st.text(min_size=1, max_size=4), min_size=key, max_size=key + 4, unique=True))
    return key, names, draw(st.booleans())


@st.composite
def logs(draw: Any) -> tuple[int, list[str], bool, list[tuple[str, tuple[Any, ...], tuple[Any, ...] | None]]]:
    """A relation, and its changes: what it was, the new row, and the old one."""
    key, names, full = draw(relations())
    more = len(names) - key
    rows = st.tuples(*[KEYS] * key, *[VALUES] * more)
    later = st.tuples(*[KEYS] * key, *[LATER] * more)
    change = st.one_of(
        st.tuples(st.just("I"), rows, st.none()),
        st.tuples(st.just("U"), later, rows if full else st.one_of(st.none(), rows)),
        st.tuples(st.just("D"), st.just(()), rows),
    )
    return key, names, full, draw(st.lists(change, max_size=12))


def encoded(what: str, new: tuple[Any, ...], old: tuple[Any, ...] | None, key: int, full: bool) -> bytes:
    kind = "O" if full else "K"
    if old is not None and not full:
        old = (*old[:key], *[None] * (len(old) - key))
    if what == "I":
        return bytes_of.insert(1, new)
    if what == "D":
        return bytes_of.delete(1, kind, old or ())
    return bytes_of.update(1, new, "" if old is None else kind, old or ())


def written(log: Any) -> list[tuple[Any, ...]]:
    """What the changes mean, each with its op, its values, its number and its unchanged columns."""
    key, names, full, changes = log
    found: list[tuple[Any, ...]] = []
    for what, new, old in changes:
        before = None if old is None else old if full else (*old[:key], *[ABSENT] * (len(old) - key))
        if what == "D":
            found.append(("d", before, len(found) + 1, []))
            continue
        known = before if before is not None else [ABSENT] * len(names)
        row = tuple(known[at] if value is bytes_of.UNCHANGED else value for at, value in enumerate(new))
        absent = [name for name, value in zip(names, row, strict=True) if value is ABSENT]
        if what == "U" and before is not None and before[:key] != row[:key]:
            found.append(("d", before, len(found) + 1, []))
            found.append(("c", row, len(found) + 1, absent))
        else:
            found.append(("c" if what == "I" else "u", row, len(found) + 1, absent))
    return found


def decoder_of(log: Any) -> Changes:
    key, names, full, _ = log
    columns = tuple(Column(name, Kind.TEXT, "text", at >= key) for at, name in enumerate(names))
    form = LogForm(TableName("s", "t"), columns, tuple(names if full else names[:key]))
    return Changes(form, Tuples(len(names), range(len(names)), names), names[:key], full=full, leaf=False)


def read(decoder: Changes, log: Any, delivered: int, rows: int) -> tuple[list[tuple[Any, ...]], LogPosition]:
    """The changes that are read behind a number of delivered ones, up to a full chunk, and where it ends."""
    key, names, full, changes = log
    one = Transaction(pgoutput.Begin(5, "now", 1), "0/5", 1, delivered, 2**24)
    found = Collector(rows, "0/1", before=False)
    behind = deque(encoded(what, new, old, key, full) for what, new, old in changes)
    while behind:
        message = behind.popleft()
        gap = one.change(message[pgoutput.PAYLOAD], decoder, message, found, behind)
        assert gap is None
        if found.full:
            break
    end = one.position._replace(changes=one.position.changes - found.over)
    chunk = found.chunk(end)
    assert sum(len(part.rows) for part in chunk.parts) <= rows
    return [
        (op, row[: len(names)], row[-3], json.loads(row[-1] or "[]"))
        for part in chunk.parts
        for op, row in zip(part.ops, part.rows, strict=True)
    ], end


@given(logs(), st.integers(1, 5))
def test_what_is_read_is_what_was_written_however_it_is_cut(log, rows):
    expected, found, end, decoder = written(log), [], LogPosition("0/5"), decoder_of(log)
    while True:
        more, reached = read(decoder, log, end.changes, rows)
        found += more
        if reached == end:
            break
        end = reached
    assert found == expected
    assert end.changes == len(expected)
