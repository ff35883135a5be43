"""Catalog of other databases: facts about one table from SQLAlchemy's inspector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.ports import TableState
from airflow_legacy_events.databases.generic.dialects import DialectTraits
from airflow_legacy_events.databases.generic.kinds import kind_of_type
from airflow_legacy_events.databases.reflection import TableFacts
from airflow_legacy_events.databases.table_names import TableName, no_such_table, readings

_EXACT = frozenset({*TEMPORAL, Kind.TIME, Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN})


def inspect_table(session: sa.Connection, table: str, traits: DialectTraits) -> TableFacts:
    """Return the facts about a table or view. Its name is looked up as written, then in lower case.

    An index proves that rows are distinct only if the database enforces its keys, and only for numbers and times.
    Equality and order of text depend on collations, about which the inspector reports too little.

    A part in double quotes is only looked up as written. SQLAlchemy reports case-folded names in lower case, including
    the upper-case ones of Oracle and Firebird.

    Raises:
        ConfigurationError: there is no table of that name.
    """
    inspector = sa.inspect(session)
    schema, name = find_table(inspector, table)
    indexes = _indexes(inspector, schema, name)
    constraints = tried(lambda: inspector.get_unique_constraints(name, schema=schema))
    unique = [
        *(tuple(found["column_names"]) for found in constraints),
        *(columns for columns, unique, _ in indexes if unique),
    ]
    primary = tuple(inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or ())
    ordered = [primary, *unique, *(columns for columns, _, ascending in indexes if ascending)]
    distinct = _distinct([primary, *unique], inspector.get_columns(name, schema=schema)) if traits.keeps_keys else ()
    is_view = name in tried(lambda: inspector.get_view_names(schema=schema))
    return TableFacts(
        name=name,
        schema=schema,
        primary_key=primary,
        unique=tuple(dict.fromkeys(columns for columns in unique if columns != primary)),
        indexes=None if is_view else tuple(dict.fromkeys(columns for columns in ordered if columns)),
        not_null=frozenset(),
        state=TableState(distinct=distinct, proves_keys=traits.keeps_keys),
    )


def _distinct(unique: list[tuple[str, ...]], columns: Any) -> tuple[tuple[str, ...], ...]:
    """Return the column lists in `unique` that are distinct under any collation."""
    plain = {one["name"] for one in columns if not one.get("nullable", True) and kind_of_type(one["type"]) in _EXACT}
    return tuple(dict.fromkeys(one for one in unique if one and plain.issuperset(one)))


def inspect_columns(session: sa.Connection, table: sa.TableClause) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Return the columns that can be carried, and the names and types of those that can't."""
    columns, refused = [], {}
    for found in sa.inspect(session).get_columns(table.name, schema=table.schema):
        kind, type_ = kind_of_type(found["type"]), _named(found["type"], session.dialect)
        if kind is None:
            refused[found["name"]] = type_
        else:
            columns.append(Column(found["name"], kind, type_, bool(found.get("nullable", True))))
    return tuple(columns), refused


def _named(type_: Any, dialect: sa.Dialect) -> str:
    try:
        return str(type_.compile(dialect=dialect))
    except sa.exc.CompileError:
        return type(type_).__name__


def find_table(inspector: sa.Inspector, table: str) -> tuple[str | None, str]:
    """Return schema and name of a table or view; the schema is None if `table` names none.

    Raises:
        ConfigurationError: there is no table of that name.
    """
    found, quotes = seek_table(inspector, table), _quotes(inspector)
    if found is not None:
        return found
    there: list[str] = []
    *_, (schema, _) = readings(table, quotes)
    for at in _schemas(inspector, schema):
        there += inspector.get_table_names(schema=at)
        there += tried(lambda at=at: inspector.get_view_names(schema=at))  # type: ignore[misc]
    raise no_such_table(table, there, quotes)


def seek_table(inspector: sa.Inspector, table: str) -> TableName | None:
    """Return schema and name likewise; None if there is no such table."""
    for one in _candidates(inspector, table, _quotes(inspector)):
        if inspector.has_table(one.name, schema=one.schema):
            return one
    return None


def _quotes(inspector: sa.Inspector) -> str:
    return '"' + inspector.dialect.identifier_preparer.initial_quote


def _candidates(inspector: sa.Inspector, table: str, quotes: str) -> Iterator[TableName]:
    """Yield the names to look up, in order; a part in quotes is only looked up as written."""
    *before, (schema, name) = readings(table, quotes)
    before = [one for one in before if len(one.name) <= inspector.dialect.max_identifier_length]  # some fail otherwise
    yield from before
    stored = sa.sql.quoted_name(name, quote=True)
    names = [stored, name]
    if name == table or table.endswith(name):  # unquoted
        names = list(dict.fromkeys([name, name.lower()]))
        if inspector.dialect.requires_name_normalize:  # folds every lower-case name except reserved words
            names += [name.upper(), stored]
    for at in _schemas(inspector, schema):
        yield from (TableName(at, one) for one in names)
    yield from (one._replace(name=one.name.lower()) for one in before if one.name != one.name.lower())


def _schemas(inspector: sa.Inspector, schema: str | None) -> list[str | None]:
    if schema is None:
        return [None]
    known = tried(inspector.get_schema_names)
    return [one for one in dict.fromkeys([schema, schema.lower()]) if one in known]


def _indexes(inspector: sa.Inspector, schema: str | None, name: str) -> list[tuple[tuple[str, ...], bool, bool]]:
    """Return columns, uniqueness and ascending order of the indexes with plain columns that cover every row."""
    found = []
    for index in tried(lambda: inspector.get_indexes(name, schema=schema)):
        options = index.get("dialect_options", {})
        partial = any(value for option, value in options.items() if option.endswith("_where"))
        if not partial and all(column is not None for column in index["column_names"]):
            descending = any(value for option, value in options.items() if option.endswith("_descending"))
            found.append((tuple(index["column_names"]), bool(index["unique"]), not descending))
    return found


def tried(ask: Callable[[], Any]) -> Any:
    """Return an inspector's answer; empty if the dialect doesn't implement it."""
    try:
        return ask()
    except NotImplementedError:
        return []
