"""Two spellings of a key: found by the database where only it knows which texts are equal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import RowState
from airflow_legacy_events.databases.postgres.target import failures, statements
from airflow_legacy_events.databases.postgres.target.staging import stage
from airflow_legacy_events.databases.postgres.target.statements import facts_of


def refuse(session: psycopg.Connection[Any], shape: TargetShape, rows: Sequence[RowState]) -> None:
    """Check that equal keys are spelled alike, in the batch and in the table.

    Args:
        session: in a transaction.
        shape: of the table.
        rows: of the batch, whose keys differ as texts.

    Raises:
        ConfigurationError: they are not.
    """
    facts = facts_of(shape)
    settled = [one.row for one in rows if one.former is None] if facts.spelled else []
    if not settled:
        return
    source = stage(session, shape, shape.key, settled)
    keys = ", ".join(f"x.c{at}" for at in shape.key)
    twice = f"SELECT 1 FROM {source.text} AS x GROUP BY {keys} HAVING pg_catalog.count(*) > 1"
    unlike = " OR ".join(
        f't.{facts.fields[at].name}::pg_catalog.text COLLATE "C" <> x.c{at}::pg_catalog.text COLLATE "C"'
        for at in facts.spelled
    )
    there = (
        f"SELECT 1 FROM {source.text} AS x JOIN {facts.only}{facts.name} AS t ON {statements.matched(shape)}"
        f" WHERE {unlike}"
    )
    statement = f"({twice} LIMIT 1) UNION ALL ({there} LIMIT 1)"
    if psycopg.RawCursor(session).execute(statement.encode(), source.parameters).fetchone():
        raise failures.spelled(shape)
