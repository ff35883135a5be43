"""What SQLAlchemy's inspector and an empty SELECT say of a table or a query."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Column

QUERY_ALIAS = "legacy_events_query"


@dataclass(frozen=True)
class Reflected:
    """A table or query as it stands; see `core.ports.Reflection`."""

    selectable: Any
    columns: tuple[Column, ...]
    refused: Mapping[str, str]
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] | None = None


@dataclass(frozen=True)
class TableFacts:
    """What the catalog says of one table."""

    name: str
    schema: str | None
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    not_null: frozenset[str] = field(default_factory=frozenset)


def split_name(table: str) -> tuple[str | None, str]:
    """Return schema and name of `schema.table`; double quotes keep dots and blanks in a part.

    Raises:
        ConfigurationError: it has no part, or more than two.
    """
    found = re.findall(r'"((?:[^"]|"")*)"|([^."]+)', table)
    parts = [quoted.replace('""', '"') or plain for quoted, plain in found]
    if len(parts) not in (1, 2) or not all(parts):
        raise ConfigurationError(f"table={table!r} is no table name: give 'table' or 'schema.table'")
    return (parts[0] if len(parts) == 2 else None), parts[-1]  # noqa: PLR2004


def inspect_table(connection: sa.Connection, table: str) -> TableFacts:
    """Return the catalog's facts of a table or view, found as written, else in lower case.

    Raises:
        ConfigurationError: there is none of that name; the message names similar ones.
    """
    inspector = sa.inspect(connection)
    schema, name = split_name(table)
    for candidate in dict.fromkeys([(schema, name), (schema and schema.lower(), name.lower())]):
        try:
            columns = inspector.get_columns(candidate[1], schema=candidate[0])
        except sa.exc.NoSuchTableError:
            continue
        return _facts(inspector, candidate[0], candidate[1], columns)
    names = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
    near = difflib.get_close_matches(name, names, n=3) or sorted(names)[:5]
    raise ConfigurationError(
        f"table {table!r} was asked for, there is no table or view of that name"
        f"{f' in schema {schema!r}' if schema else ''} that this user can see; similar: {', '.join(near) or 'none'}"
    )


def _facts(inspector: sa.Inspector, schema: str | None, name: str, reflected: list[Any]) -> TableFacts:
    primary = tuple(inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or ())
    whole = [index for index in inspector.get_indexes(name, schema=schema) if _is_whole(index)]
    lists = [tuple(str(column) for column in index["column_names"]) for index in whole]
    unique = [columns for columns, index in zip(lists, whole, strict=True) if index.get("unique")]
    return TableFacts(
        name=name,
        schema=schema,
        primary_key=primary,
        unique=tuple(unique),
        indexes=tuple(dict.fromkeys([*([primary] if primary else []), *lists])),
        not_null=frozenset(c["name"] for c in reflected if not c["nullable"]) | frozenset(primary),
    )


def _is_whole(index: Any) -> bool:
    """Whether an index has plain columns only and leaves no row out."""
    options = {key: value for key, value in (index.get("dialect_options") or {}).items() if key.endswith("_where")}
    return None not in index["column_names"] and not any(value is not None for value in options.values())


def query_source(sql: str) -> sa.TextClause:
    """Return a user's SELECT as a FROM element in brackets; colons and per cent signs in it stay as they are."""
    plain = sql.strip().rstrip(";").rstrip()
    # The line break ends a trailing "-- comment"; a colon before a word would be a bind parameter to text().
    return sa.text(re.sub(r"(?<!:):(?=\w)", r"\\:", f"({plain}\n) AS {QUERY_ALIAS}"))
