"""Shape of a target's table, made of what the catalog has; all that is wrong is in one message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model.changes import TargetColumn, TargetShape
from airflow_legacy_events.core.ports.target import Wanted
from airflow_legacy_events.databases.applying.facts import TableFacts
from airflow_legacy_events.databases.applying.keys import Reflected, Roles, roles_of
from airflow_legacy_events.databases.table_names import TableName


def shape_of(
    found: Reflected,
    wanted: Wanted,
    facts: Callable[[Roles], TableFacts],
    *,
    problems: Iterable[str] = (),
    parents: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> TargetShape:
    """Return the shape of a table.

    Args:
        found: in the catalog.
        wanted: by the user.
        facts: makes the facts, once the roles of the columns are known.
        problems: what else is wrong with the table, each a sentence that begins with the remedy.
        parents: see `TargetShape`.
        warnings: see `TargetShape`.

    Raises:
        ConfigurationError: something is wrong; the message has a line for each problem.
    """
    every = list(problems)
    roles = roles_of(found, wanted, every)
    if every:
        raise refused(found.table, every)
    return TargetShape(
        found.table,
        found.columns,
        roles.key,
        facts(roles),
        version=roles.version,
        deleted=roles.deleted,
        repeats=roles.repeats,
        parents=tuple(parents),
        warnings=tuple(warnings),
    )


def refused(table: str, problems: Sequence[str]) -> ConfigurationError:
    """Return the error for a table that can't be written to as wanted."""
    lines = "".join(f"\n- {one}" for one in problems)
    return ConfigurationError(f"table {table!r} can't be written to; nothing was read from the topic:{lines}")


def is_free(column: TargetColumn) -> bool:
    """Return whether a new row may leave a column out."""
    return column.nullable or column.has_default or column.numbered or not column.written


def typed_table(name: TableName, columns: Sequence[TargetColumn], types: Sequence[Any]) -> sa.TableClause:
    """Return a table with typed columns, in their order; names are quoted wherever they are used."""
    typed = (sa.column(one.name, type_) for one, type_ in zip(columns, types, strict=True))
    return sa.table(name.name, *typed, schema=name.schema)
