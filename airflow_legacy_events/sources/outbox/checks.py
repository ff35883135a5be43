"""Checks before the first read: whether rows may be deleted or marked here, and what that triggers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core import sql_text
from airflow_legacy_events.core.columns import TEMPORAL, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Database, Reflection, TableWrites
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.sources.order import index_name, spelled
from airflow_legacy_events.sources.outbox.table import OutboxTable


def condition_of(where: str | None, found: Reflection, database: Database) -> Any:
    """Return a user's condition; None if there is none.

    Raises:
        ConfigurationError: it is not a condition of one SELECT, or the database refuses it.
    """
    if where is None:
        return None
    try:
        sql_text.one_select(f"SELECT 1 WHERE {where}", database.sql_dialect)
        # The line break ends a trailing "-- comment"; an unescaped colon would begin a parameter of text().
        condition = sa.text(f"({where}\n)".replace(":", r"\:"))
        database.check(sa.select(sa.literal_column("1").label("one")).select_from(found.selectable).where(condition))
    except ConfigurationError as error:
        text = str(error).replace("sql= ", "where= ").replace("correct table= or sql=", "correct where=")
        raise ConfigurationError(text.replace("Give one SELECT", "Give one condition, without WHERE")) from None
    return condition


def check_writes(table: OutboxTable, writes: TableWrites, change: Any) -> None:
    """Check that published rows can be deleted or marked; every fault is reported.

    Args:
        table: whose rows they are.
        writes: effects of writing to it, from the catalog.
        change: the statement that does it, affecting no row.

    Raises:
        ConfigurationError: they can't.
    """
    problems = Problems()
    for fault in _faults(table, writes, change):
        with problems.collect():
            behind = "\n" if "\n" in fault else ". "  # a statement to run has its own line
            raise ConfigurationError(f"{fault}{behind}Nothing was read")
    problems.raise_found()


def _faults(table: OutboxTable, writes: TableWrites, change: Any) -> list[str]:
    deletes, what = table.marking is None, table.what
    verb = "DELETE" if deletes else "UPDATE"
    faults = []
    if writes.elsewhere is not None:
        faults.append(f"published rows of {what} must not be acknowledged on this server: {writes.elsewhere}")
    elif refusal := table.database.refusal(change):
        faults.append(f"the {verb} that acknowledges rows of {what} is refused: {refusal}")
    if deletes and writes.references:
        faults.append(
            f"after_publish='delete' can't delete rows of {what} that others refer to: {'; '.join(writes.references)}."
            " Let that foreign key CASCADE, or use after_publish='mark'"
        )
    id_ = table.column("id")
    if deletes and writes.ids_return and id_ is not None and id_.kind is Kind.INTEGER:
        faults.append(
            f"after_publish='delete' is not safe for {what}: {writes.ids_return}, so another row could get the id of a"
            " delivered one. Use after_publish='mark', make sure that ids are never reused (AUTOINCREMENT in SQLite),"
            " or use UUIDs"
        )
    return faults


def warn_of(log: logging.Logger, table: OutboxTable, writes: TableWrites) -> None:
    """Warn of what a DELETE or UPDATE triggers, of what could not be checked, and of a missing index."""
    effects = writes.effects if table.marking is None else writes.update_effects
    if effects:
        verb = "deleting" if table.marking is None else "marking"
        log.warning("%s a row of %s has further effects: %s", verb, table.what, "; ".join(effects))
    for unknown in writes.unknown:
        log.warning("%s: could not find out %s", table.what, unknown)
    advise_index(log, table, writes)


def advise_index(log: logging.Logger, table: OutboxTable, writes: TableWrites) -> None:
    """Warn with a CREATE INDEX statement if no index returns the open rows in their order."""
    order = tuple(column.name for column in table.selection.columns[: len(table.selection.shape.watermark)])
    if table.found.indexes is None or _served(table, writes, order):
        return
    spell = table.database.quoted
    names = list(order)
    where = ""
    if table.marking is not None:
        mark = table.marking.column.name
        if table.database.has_partial_indexes:
            where = f" WHERE {spell(mark)} {table.marking.spelled}"
        else:
            names = [mark, *order]
    log.warning(
        "no index of %s covers its open rows in their order: every page reads the whole table. CREATE INDEX %s ON %s"
        " (%s)%s",
        table.what,
        spell(index_name(f"{table.written}_open")),
        spelled(table.database, table.found.selectable),
        ", ".join(map(spell, names)),
        where,
    )


def _served(table: OutboxTable, writes: TableWrites, order: tuple[str, ...]) -> bool:
    whole = table.found.indexes or ()
    if table.marking is None:
        return any(index[:1] == order[:1] for index in whole)
    mark = table.marking.column.name
    through_mark = any(index[: len(order) + 1] == (mark, *order) for index in whole)
    partial = any(columns[:1] == order[:1] and mark in condition for columns, condition in writes.partial)
    return through_mark or partial


def warn_of_churn(log: logging.Logger, table: OutboxTable, stored: Mapping[str, Any], writes: TableWrites) -> None:
    """Warn if rows were inserted and deleted since the last run although there is none to read."""
    before, drained = stored.get("churn"), stored.get("drained") or 0
    if before is None or writes.churn is None or table.marking is not None:
        return
    inserted, deleted = (now - then for now, then in zip(writes.churn, before, strict=True))
    if inserted - drained > 0 and deleted - drained > 0:
        log.warning(
            "%s is empty, but since the last run %d rows were inserted and %d deleted, %d of them by this drain: an"
            " application that deletes its row in the transaction that inserts it leaves nothing to drain. With"
            " Debezium's Quarkus extension set quarkus.debezium-outbox.remove-after-insert=false",
            table.what,
            inserted,
            deleted,
            drained,
        )


def check_replayable(table: OutboxTable) -> str:
    """Return the name of the column that a replay window filters by.

    Raises:
        ConfigurationError: published rows are deleted, or have no time.
    """
    if table.marking is None and not table.kept:
        raise ConfigurationError(
            "a replay or backfill was requested, but after_publish='delete' has deleted the published rows of"
            f" {table.what}; nothing was read. Use after_publish='mark', which keeps them, or 'keep'"
        )
    time = table.column("timestamp")
    if time is None or not (time.kind in TEMPORAL or time.kind is Kind.INTEGER):
        raise ConfigurationError(
            f"a replay or backfill was requested, and {table.what} has no timestamp to cut by; nothing was read. Name"
            " it with columns={'timestamp': ...}"
        )
    return time.name
