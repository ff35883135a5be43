"""Reflection: facts about a table or query, from the catalog and an empty SELECT."""

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
    """Current state of a table or query; see `core.ports.Reflection`."""

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
    """Catalog facts about one table.

    Attributes:
        name: as in the catalog.
        schema: as in the catalog; None if the user named none.
        primary_key: its columns in order.
        unique: column lists of the other unique indexes that cover every row.
        indexes: column lists of all ordered indexes that cover every row; None for an object that can't have indexes.
        not_null: columns in which the database allows no NULL.
        small: whether no value in it can currently be large.
        state: see `core.ports.TableState`.
        readable: names of the columns to describe, in order; None: all columns of `SELECT *`.
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
    """Return a SELECT of the named columns of a FROM element; if `names` is None, of all columns of `SELECT *`."""
    everything: Any = sa.literal_column("*")
    columns: Any = [everything] if names is None else map(sa.column, names)
    return sa.select(*columns).select_from(selectable)


def unreadable_table(table: str, grant: str) -> ConfigurationError:
    """Return the error for a table or view that this user may not read at all, with the GRANT that allows it."""
    return ConfigurationError(
        f"table {table!r} exists, but this user may not read it; nothing was read. Run the GRANT below:\n{grant}"
    )


def not_a_table(table: str, kind: str) -> ConfigurationError:
    """Return the error for an object whose rows can't be deleted or marked; `kind` is its type with an article."""
    return ConfigurationError(
        f"table={table!r} is {kind}, and rows are deleted or marked in a table only; name the table that holds them"
    )


def query_source(sql: str, dialect: Dialect) -> sa.TextClause:
    """Return a user's SELECT as a FROM element in parentheses. Colons and percent signs in it are kept as they are.

    Args:
        sql: the text.
        dialect: SQL syntax of the session that runs it.

    Raises:
        ConfigurationError: it is not one SELECT.
    """
    # The line break ends a trailing "-- comment". Colons are escaped with a backslash: a bare one would begin a text()
    # parameter. No AS: Oracle refuses it before a table alias, and no database needs it.
    return sa.text(f"({one_select(sql, dialect)}\n) {QUERY_ALIAS}".replace(":", r"\:"))
