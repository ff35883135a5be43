"""Shape of a target table, and all that speaks against writing to it."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model.changes import TargetColumn, TargetShape
from airflow_legacy_events.core.ports.target import Wanted
from airflow_legacy_events.databases.applying.keys import Reflected, Roles, roles_of
from airflow_legacy_events.databases.mysql.catalog import CHECKS, TableRow, json_among
from airflow_legacy_events.databases.mysql.grants import Grants
from airflow_legacy_events.databases.mysql.indexes import Index, read_indexes
from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.mysql.target import references, refusals, triggers
from airflow_legacy_events.databases.mysql.target.columns import CatalogColumn, read_columns, target_column
from airflow_legacy_events.databases.mysql.target.keys import KeyColumn, key_column
from airflow_legacy_events.databases.mysql.target.table import MysqlTable

_MADE_KEY = "my_row_id"
"""Primary key that MySQL makes for a table without one; messages don't have it."""


def shape_of(session: Session, table: str, row: TableRow, wanted: Wanted) -> TargetShape:
    """Return the shape of a table.

    Args:
        session: of the user who writes.
        table: as the user wrote it.
        row: of the table in the catalog.
        wanted: how it is to be written.

    Raises:
        ConfigurationError: it can't be written to as wanted; the message names all that is wrong.
    """
    problems = refusals.of_table(table, row)
    if problems:
        raise _refused(table, problems)
    catalog = read_columns(session, row.schema, row.name)
    json = json_among(session.rows(CHECKS, row.schema, row.name)) if session.mariadb else frozenset[str]()
    columns = tuple(target_column(one, json) for one in catalog)
    indexes = [one for one in read_indexes(session, row.schema, row.name) if not _is_made(one, catalog)]
    roles = _roles(table, columns, indexes, wanted, problems)
    key = _key(catalog, roles, problems)
    grants = Grants.read(session)
    elsewhere = refusals.of_server(session, grants)
    problems += elsewhere or refusals.of_rights(session, row, columns, grants.user, wanted)
    if problems:
        raise _refused(table, problems)
    found = triggers.read(session, grants, row)
    index = _index_of(columns, roles, indexes)
    facts = MysqlTable(
        schema=row.schema,
        name=row.name,
        columns=tuple(catalog),
        key=key,
        key_index="" if index is None else index.name,
        looks=_looks(row, indexes, index, (key, found)),
        triggers=found.described,
    )
    return TargetShape(
        table=table,
        columns=columns,
        key=roles.key,
        facts=facts,
        version=roles.version,
        deleted=roles.deleted,
        repeats=roles.repeats,
        parents=references.parents(session, row, wanted.others),
        warnings=references.warnings(session, row),
        incomplete=True,
    )


def _roles(
    table: str, columns: Sequence[TargetColumn], indexes: Sequence[Index], wanted: Wanted, problems: list[str]
) -> Roles:
    primary = next((one.columns for one in indexes if one.name == "PRIMARY" and one.unique), ())
    unique = tuple(one.columns for one in indexes if one.unique and not one.hashed and one.name != "PRIMARY")
    return roles_of(Reflected(table, tuple(map(_with_booleans, columns)), primary, unique), wanted, problems)


def _with_booleans(column: TargetColumn) -> TargetColumn:
    """Return a column, as a boolean one if its type is what `boolean` makes here."""
    return column._replace(kind=Kind.BOOLEAN) if column.type.startswith("tinyint") else column


def _key(catalog: Sequence[CatalogColumn], roles: Roles, problems: list[str]) -> tuple[KeyColumn, ...]:
    found = []
    for at in roles.key or roles.repeats:
        one = key_column(catalog[at])
        if one is None:
            problems.append(
                f"key_columns: name other columns than {catalog[at].name!r}; values of type {catalog[at].type} can't be"
                " compared exactly"
            )
        elif catalog[at].is_generated and roles.key:
            problems.append(f"key_columns: name other columns than {catalog[at].name!r}, which is generated")
        else:
            found.append(one)
    return tuple(found)


def _index_of(columns: Sequence[TargetColumn], roles: Roles, indexes: Sequence[Index]) -> Index | None:
    names = {columns[at].name for at in roles.key or roles.repeats}
    return next((one for one in indexes if one.unique and not one.hashed and set(one.columns) == names), None)


def _is_made(index: Index, catalog: Sequence[CatalogColumn]) -> bool:
    made = any(one.name == _MADE_KEY and "INVISIBLE" in one.extra and one.is_numbered for one in catalog)
    return made and index.columns == (_MADE_KEY,)


def _looks(
    row: TableRow, indexes: Sequence[Index], key: Index | None, of: tuple[Sequence[KeyColumn], triggers.Triggers]
) -> str:
    """Return why rows that are there are looked up first.

    ON DUPLICATE KEY UPDATE matches a row by any unique index, fires BEFORE INSERT triggers for a row that is there,
    counts the history of a versioned one, and does not say in which spelling it found a key.
    """
    columns, found = of
    reasons = {
        "another unique index": any(one.declared_unique and one is not key for one in indexes),
        "triggers": found.before_insert,
        "versioning": row.kind == refusals.VERSIONED,
        "spelling": any(one.collation or one.padded for one in columns),
    }
    return next((name for name, holds in reasons.items() if holds), "")


def _refused(table: str, problems: Sequence[str]) -> ConfigurationError:
    if len(problems) == 1:
        return ConfigurationError(f"table {table!r} can't be written to. {problems[0]}")
    listed = "".join(f"\n{number}. {one}" for number, one in enumerate(problems, 1))
    return ConfigurationError(f"table {table!r} can't be written to, for {len(problems)} reasons:{listed}")
