"""Rows of a batch as a source of statements: a temporary table filled by COPY, or arrays of texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import psycopg

from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.model.packed import PackedRows
from airflow_legacy_events.databases.postgres.target import texts
from airflow_legacy_events.databases.postgres.target.facts import Field
from airflow_legacy_events.databases.postgres.target.statements import Positions, facts_of

FEW = 100
"""Rows that go faster as arrays than through a table, which costs entries of the catalog."""

_MARK_CHARS = 24
_MADE = "CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DROP; TRUNCATE {name}"


class Source(NamedTuple):
    """Rows that statements read.

    Attributes:
        text: in SQL, with parameters `$1` and so on.
        parameters: of each statement that reads it.
        size: number of its rows.
    """

    text: str
    parameters: tuple[str, ...]
    size: int


def stage(session: psycopg.Connection[Any], shape: TargetShape, given: Positions, rows: Sequence[Any]) -> Source:
    """Return rows as a source that lasts until the next call for the same columns, or the transaction's end.

    Args:
        session: in a transaction.
        shape: of the table.
        given: positions of the columns that the source has.
        rows: of all columns of the shape, or of these alone if they are fewer.
    """
    if len(rows) <= FEW or not facts_of(shape).temporary:
        return _arrays(shape, given, projected(rows, given, len(shape.columns)))
    return _table(session, shape, given, rows)


def projected(rows: Sequence[Any], given: Positions, width: int) -> Sequence[Any]:
    """Return the columns at some positions of rows with `width` columns."""
    if len(given) == width:
        return rows
    if len(given) == 1:
        [only] = given
        return [(row[only],) for row in rows]
    return list(map(itemgetter(*given), rows))


def copy(session: psycopg.Connection[Any], name: str, columns: Sequence[str], pieces: Iterable[bytes]) -> int:
    """Copy rows into a table; return how many it took."""
    cursor = psycopg.Cursor(session)
    with cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN".encode()) as stream:
        for piece in pieces:
            stream.write(piece)
    return cursor.rowcount


def pieces_of(rows: Sequence[Any], given: Positions, width: int) -> Iterator[bytes]:
    """Return the columns at some positions of rows, as COPY reads them; see `projected`."""
    if isinstance(rows, PackedRows) and rows.packing.positions == given:
        return texts.joined(rows.texts)
    return texts.copied(projected(rows, given, width))


def _table(session: psycopg.Connection[Any], shape: TargetShape, given: Positions, rows: Sequence[Any]) -> Source:
    facts = facts_of(shape)
    name = f"pg_temp.legacy_events_{facts.oid}_{_mark(given)}"
    columns = ", ".join(f"c{at} {_type(facts.fields[at])}{facts.fields[at].collate}" for at in given)
    psycopg.Cursor(session).execute(_MADE.format(name=name, columns=columns).encode())
    copy(session, name, [f"c{at}" for at in given], pieces_of(rows, given, len(shape.columns)))
    return Source(name, (), len(rows))


def arrays(shape: TargetShape, columns: Sequence[tuple[str, int, Sequence[Any]]], count: int) -> Source:
    """Return columns as a source: the name of each, its position in the shape, and its texts."""
    fields = facts_of(shape).fields
    literals = tuple(texts.array(values) for _, _, values in columns)
    cast = ", ".join(f"{fields[at].of_text(name)} AS {name}" for name, at, _ in columns)
    names = ", ".join(name for name, _, _ in columns)
    text = f"(SELECT {cast} FROM {texts.arrays(len(columns))} AS a ({names}))"
    return Source(text, literals, count)


def _arrays(shape: TargetShape, given: Positions, rows: Sequence[Any]) -> Source:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(given)
    return arrays(shape, [(f"c{at}", at, one) for at, one in zip(given, columns, strict=True)], len(rows))


def _type(field: Field) -> str:
    return field.open_type if field.lossy else field.type


def _mark(given: Positions) -> str:
    """Return a short name for a set of columns."""
    return hashlib.sha256(repr(given).encode()).hexdigest()[:_MARK_CHARS]
