"""Checks before the first read of an outbox whose old rows are deleted."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import TableWrites
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.sources.outbox.table import OutboxTable

_NO_ROW = sa.literal_column("1") == 0


def check_retention(table: OutboxTable, writes: TableWrites) -> None:
    """Check that old rows can be found and deleted; every fault is reported.

    Args:
        table: whose rows they are.
        writes: effects of deleting its rows, from the catalog.

    Raises:
        ConfigurationError: they can't.
    """
    problems = Problems()
    for fault in _faults(table, writes):
        with problems.collect():
            raise ConfigurationError(f"{fault}\nNothing was read; or leave retention= out")
    problems.raise_found()


def _faults(table: OutboxTable, writes: TableWrites) -> Iterator[str]:
    what = table.what
    if table.column("timestamp") is None:
        yield (
            f"retention= was given, but no timestamp shows how old a row of {what} is.\nName the time of a row with"
            " columns={'timestamp': ...}"
        )
    if writes.elsewhere is not None:
        yield f"old rows of {what} must not be deleted on this server: {writes.elsewhere}"
    elif refusal := table.database.refusal(sa.delete(table.clause).where(_NO_ROW)):
        yield f"the DELETE of old rows of {what} is refused: {refusal}"
    if writes.references:
        yield (
            f"retention= can't delete rows of {what} that others refer to: {'; '.join(writes.references)}.\nLet that"
            " foreign key CASCADE"
        )
