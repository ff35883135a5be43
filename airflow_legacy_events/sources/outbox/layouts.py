"""Layouts: the role of each column of an outbox table; see `sources.roles`."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Reflection
from airflow_legacy_events.sources import withheld
from airflow_legacy_events.sources.roles import LAYOUTS, ROLES

REMEDY = "or name other columns with columns={...}, with None for a role without a column"
"""Remedy if columns of roles can't be read."""

_NEEDED = ("id", "aggregate_id", "payload")
_IF_THERE = ("timestamp",)


def check_columns(columns: Mapping[str, str | None]) -> None:
    """Check `columns=` as far as possible without the table.

    Raises:
        ConfigurationError: a role is unknown, or a required one is None.
    """
    if unknown := [role for role in columns if role not in ROLES]:
        raise ConfigurationError(
            f"columns= names {', '.join(map(repr, unknown))}, which is not a role of an outbox column; known:"
            f" {', '.join(ROLES)}"
        )
    if missing := [role for role in _NEEDED if role in columns and columns[role] is None]:
        raise ConfigurationError(f"columns= leaves out {', '.join(map(repr, missing))}, which every outbox needs")


def find_roles(table: str, layout: str, columns: Mapping[str, str | None], found: Reflection) -> dict[str, str]:
    """Return the column name of each role that the table has.

    Args:
        table: for messages.
        layout: one of `LAYOUTS`.
        columns: overrides of the layout by role; None: the table has no such column.
        found: catalog facts of the table.

    Raises:
        ConfigurationError: a column is missing, or its type is not supported.
    """
    kinds = {column.name: column for column in found.columns}
    named = {**LAYOUTS[layout], **columns}
    roles = {
        role: name
        for role, name in named.items()
        if name is not None and not (role in _IF_THERE and role not in columns and _is_none(name, found))
    }
    withheld.refuse(f"table {table!r}", found, list(roles.values()), REMEDY)
    if missing := [f"{role!r}: {name!r}" for role, name in roles.items() if name not in (*kinds, *found.refused)]:
        raise ConfigurationError(
            f"table {table!r} has no column for {{{', '.join(missing)}}}; it has"
            f" {', '.join(map(repr, (*kinds, *found.refused)))}. Nothing was read; map roles to columns with"
            " columns={...}, with None for a role without a column"
        )
    if refused := [name for name in roles.values() if name in found.refused]:
        raise ConfigurationError(
            f"table {table!r} has columns of types that can't be carried:"
            f" {', '.join(f'{name!r} ({found.refused[name]})' for name in refused)}; nothing was read. Name other"
            " columns with columns={...}"
        )
    time = kinds.get(roles.get("timestamp", ""))
    if time is not None and not (_is_time(time) or time.kind is Kind.INTEGER):
        raise ConfigurationError(
            f"the timestamp {time.name!r} of table {table!r} is {time.type}, which is neither a time nor a number of"
            " milliseconds since 1970; nothing was read. Name another one with columns={'timestamp': ...}, or None"
        )
    return roles


def _is_none(name: str, found: Reflection) -> bool:
    """Return whether a column is missing or not a time; False for a column that this user merely can't see."""
    column = next((one for one in found.columns if one.name == name), None)
    if column is None and name not in found.refused and (found.withheld.hides or name in found.withheld.names):
        return False
    return not _is_time(column)


def _is_time(column: Column | None) -> bool:
    return column is not None and column.kind in TEMPORAL
