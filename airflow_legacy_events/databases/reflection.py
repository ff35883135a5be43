"""Reflection: what the catalog and an empty SELECT say of a table or a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import TableState, Withheld
from airflow_legacy_events.core.sql_dialects import Dialect
from airflow_legacy_events.core.sql_text import one_select

QUERY_ALIAS = "legacy_events_query"
NOTHING_KNOWN = TableState()
NOTHING_WITHHELD = Withheld()


@dataclass(frozen=True)
class Reflected:
    """A table or query as it is now; see `core.ports.Reflection`."""

    selectable: Any
    columns: tuple[Column, ...]
    refused: Mapping[str, str]
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] | None = None
    small: bool = False
    state: TableState = NOTHING_KNOWN
    withheld: Withheld = NOTHING_WITHHELD
    unlisted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TableFacts:
    """What the catalog says of one table.

    Attributes:
        name: as the catalog has it.
        schema: as the catalog has it; None where the user named none.
        primary_key: its columns in order.
        unique: column lists of the other unique indexes that leave no row out.
        indexes: column lists of all ordered indexes that leave no row out; None for what has none of its own.
        not_null: columns in which the database allows no NULL.
        small: whether no value in it can be large now.
        state: see `core.ports.TableState`.
        readable: names of the columns to look at, in order; None: all that `SELECT *` gives.
        withheld: see `core.ports.Reflection.withheld`.
        unlisted: see `core.ports.Reflection.unlisted`.
    """

    name: str
    schema: str | None
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] | None = None
    not_null: frozenset[str] = field(default_factory=frozenset)
    small: bool = False
    state: TableState = NOTHING_KNOWN
    readable: tuple[str, ...] | None = None
    withheld: Withheld = NOTHING_WITHHELD
    unlisted: frozenset[str] = frozenset()


def looked_at(selectable: Any, names: Sequence[str] | None) -> Any:
    """Return the SELECT of some columns of a FROM element; of all that `SELECT *` gives where `names` is None."""
    everything: Any = sa.literal_column("*")
    columns: Any = [everything] if names is None else map(sa.column, names)
    return sa.select(*columns).select_from(selectable)


def unreadable_table(table: str, grant: str) -> ConfigurationError:
    """Return the error for a table or view of which this user may read nothing, with the statement that lets it."""
    return ConfigurationError(
        f"table {table!r} is there, and this user may not read it; nothing was read. Run the GRANT below:\n{grant}"
    )


def not_a_table(table: str, kind: str) -> ConfigurationError:
    """Return the error for something whose rows can't be deleted or marked, `kind` in words with an article."""
    return ConfigurationError(
        f"table={table!r} is {kind}, and rows are deleted or marked in a table only; name the table that holds them"
    )


def query_source(sql: str, dialect: Dialect) -> sa.TextClause:
    """Return a user's SELECT as a FROM element in brackets; colons and per cent signs in it stay as they are.

    Args:
        sql: the text.
        dialect: how the session that gets it may read it.

    Raises:
        ConfigurationError: it is not one SELECT.
    """
    # The line break ends a trailing "-- comment"; without its backslash a colon would begin a parameter of text().
    # No AS: Oracle refuses it before the name of a table, and no database needs it.
    return sa.text(f"({one_select(sql, dialect)}\n) {QUERY_ALIAS}".replace(":", r"\:"))
