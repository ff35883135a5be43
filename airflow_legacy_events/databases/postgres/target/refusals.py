"""What keeps a table of PostgreSQL from being written to, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases.postgres.entries import FOREIGN, MATERIALIZED, PARTITIONED, TABLE, VIEW
from airflow_legacy_events.databases.postgres.rights import unreachable
from airflow_legacy_events.databases.postgres.target.catalog import Found
from airflow_legacy_events.databases.table_names import readings

_KINDS = {VIEW: "a view", MATERIALIZED: "a materialized view", FOREIGN: "a foreign table"}
_UNLOGGED, _TEMPORARY = "u", "t"


def refuse_hidden(session: psycopg.Connection[Any], table: str) -> None:
    """Check that a table that is not found is not hidden by a right that lacks.

    Raises:
        ConfigurationError: it is.
    """
    *_, name = readings(table)
    if hidden := unreachable(session, *name):
        raise ConfigurationError(
            f"table {table!r} is there, and this user may not use its schema; run the GRANTs below:\n"
            + "\n".join(hidden)
        )


def of_table(found: Found, elsewhere: str | None, positions: str) -> Iterator[str]:
    """Yield a sentence for each reason, with its remedy.

    Args:
        found: in the catalog.
        elsewhere: why its rows must not be written here; None if they may be.
        positions: name of the table that positions are kept in.
    """
    table = found.table
    if found.table.kind not in (TABLE, PARTITIONED):
        yield f"{table.name} is {_KINDS.get(table.kind, 'no table')}: name the table that holds its rows"
        return
    if elsewhere is not None:
        yield f"{elsewhere}: give the connection of that server"
    if found.read_only:
        yield (
            "default_transaction_read_only is on for this user or database, so it is not meant to be written to: give"
            f" another connection, or run ALTER ROLE {table.user} SET default_transaction_read_only = off"
        )
    yield from _of_storage(found, positions)
    yield from _of_rights(found)
    if table.rules:
        yield (
            f"rules rewrite what is written to it, so rows can't be counted: DROP RULE {', '.join(table.rules)} ON"
            f" {table.name}, or use triggers"
        )


def _of_storage(found: Found, positions: str) -> Iterator[str]:
    for part in found.tree:
        if part.persistence == _UNLOGGED:
            yield (
                f"{part.name} is UNLOGGED, and empty after a crash while the position is kept: ALTER TABLE {part.name}"
                " SET LOGGED"
            )
        elif part.persistence == _TEMPORARY:
            yield f"{part.name} is a temporary table, which ends with its session: name a permanent one"
        if part.kind == FOREIGN:
            yield f"its partition {part.name} is a foreign table, which has no part in the transaction: detach it"
    if found.unlogged_positions:
        yield f"the table of positions is UNLOGGED, and empty after a crash: ALTER TABLE {positions} SET LOGGED"


def _of_rights(found: Found) -> Iterator[str]:
    table = found.table
    if table.lacking:
        yield (
            "this user lacks a right; run the GRANT below:\n"
            f"GRANT {', '.join(table.lacking)} ON {table.name} TO {table.user}\n"
        )
    if table.secured:
        yield (
            "a policy of row-level security hides rows from this user, so they can't be counted: ALTER ROLE"
            f" {table.user} BYPASSRLS, or give the connection of the table's owner"
        )
