"""Result columns, and the check that a page has the columns its encoder expects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import SchemaChangedError
from airflow_legacy_events.databases.postgres.statement import Field
from airflow_legacy_events.databases.postgres.types import Type

_LENGTH = re.compile(r"\s*\([^()]*\)")


class UnknownTypesError(Exception):
    """A page has types that have not been looked up yet.

    Attributes:
        oids: of all its types.
    """

    def __init__(self, oids: Sequence[int]) -> None:
        super().__init__(oids)
        self.oids = oids


def carried(
    fields: Sequence[Field], types: Mapping[int, Type], not_null: frozenset[str]
) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Return the columns that can be carried, and the names and types of those that can't.

    Args:
        fields: of a result.
        types: by oid.
        not_null: names of the columns in which the database allows no NULL.
    """
    columns, refused = [], {}
    for one in fields:
        type_ = types[one.oid]
        if type_.kind is None:
            refused[one.name] = type_.name
        else:
            shown, nullable = type_.name or one.display, one.name not in not_null
            columns.append(Column(one.name, type_.kind, shown, nullable, type_.elements, checked=True))
    return tuple(columns), refused


def check_fields(conn_id: str, fields: Sequence[Field], expected: Sequence[Column], types: Mapping[int, Type]) -> None:
    """Check names, kinds and types of a page's first columns; a length or precision may differ.

    Args:
        conn_id: Airflow's name of the connection.
        fields: of the page.
        expected: the columns that must come first.
        types: by oid.

    Raises:
        SchemaChangedError: naming the first column that differs, and both types.
        UnknownTypesError: a type is not among `types`.
    """
    for at, column in enumerate(expected):
        if at == len(fields) or fields[at].name != column.name:
            found = f"is {fields[at].name!r}" if at < len(fields) else "is missing"
            raise _changed(conn_id, f"column {column.name!r} was expected and {found}")
        if fields[at].oid not in types:
            raise UnknownTypesError([field.oid for field in fields])
        type_ = types[fields[at].oid]
        shown = type_.name or fields[at].display
        if (type_.kind, type_.elements, _bare(shown)) != (column.kind, column.elements, _bare(column.type)):
            raise _changed(conn_id, f"column {column.name!r} is {shown} where {column.type} was expected")


def _bare(type_: str) -> str:
    return _LENGTH.sub("", type_)


def _changed(conn_id: str, what: str) -> SchemaChangedError:
    return SchemaChangedError(
        f"connection {conn_id!r} returned a page with other columns than the run expects: {what}; no row of that page"
        " was sent"
    )
