"""Which rows of a batch are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg

from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.model.packed import column_of
from airflow_legacy_events.databases.postgres.target import statements, texts

if TYPE_CHECKING:
    from airflow_legacy_events.databases.postgres.target.grouping import Row

_INTEGERS = frozenset({"smallint", "integer", "bigint"})


def places_there(session: psycopg.Connection[Any], shape: TargetShape, rows: Sequence[Row]) -> list[int]:
    """Return which rows are there, by their places among the given.

    Args:
        session: in a transaction.
        shape: of the table.
        rows: of all its columns.
    """
    facts = statements.facts_of(shape)
    keys = [texts.array(column_of(rows, at)) for at in shape.key]
    arrays, beyond = texts.arrays(len(keys)), _beyond(shape, rows)
    names = ", ".join(f"c{at}" for at in shape.key)
    fields = {at: facts.fields[at] for at in shape.key}
    cast = ", ".join(f"{one.of_text(f'c{at}')} AS c{at}" for at, one in fields.items())
    # LIMIT makes the server look each key up in the index, however few rows it believes the table to have.
    each = (
        "SELECT coalesce(pg_catalog.array_agg(x.place OPERATOR(pg_catalog.-) 1), '{}')"
        f" FROM (SELECT place, {cast} FROM {arrays} WITH ORDINALITY AS a ({names}, place) OFFSET 0) AS x"
        f" CROSS JOIN LATERAL (SELECT FROM {facts.only}{facts.name} AS t WHERE {statements.matched(shape)} LIMIT 1)"
        " AS there"
    )
    statement = each if beyond is None else f"SELECT CASE WHEN {beyond} THEN '{{}}' ELSE ({each}) END"
    found = psycopg.RawCursor(session).execute(statement.encode(), keys).fetchone()
    return [] if found is None else list(found[0])


def _beyond(shape: TargetShape, rows: Sequence[Row]) -> str | None:
    """Return the condition that no row lies between the least and the highest of the keys; None if that is not known.

    New rows mostly have new numbers, above all others.
    """
    at, *more = shape.key
    if more or shape.columns[at].type not in _INTEGERS:
        return None
    try:
        numbers = list(map(int, column_of(rows, at)))
    except ValueError:
        return None
    facts, least, highest = statements.facts_of(shape), min(numbers), max(numbers)
    name = f"t.{facts.fields[at].name}"
    between = f"{name} OPERATOR(pg_catalog.>=) {least} AND {name} OPERATOR(pg_catalog.<=) {highest}"
    return f"NOT EXISTS (SELECT FROM {facts.only}{facts.name} AS t WHERE {between})"
