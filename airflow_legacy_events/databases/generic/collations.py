"""Columns that a database sorts differently than it compares, so that pages by them would skip rows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column

_FOLDS = 2 | 4
"""Bits of RDB$COLLATION_ATTRIBUTES: insensitive to case, and to accents."""

_CONSISTENT = frozenset({"PT_BR", "WIN_PTBR", "WIN_CZ", "WIN_CZ_CI_AI"})
"""Collations that fold and sort as they compare: all of their characters were compared with each other."""

_INCONSISTENT = frozenset({"LT_LT", "PXW_TURK"})
"""Collations that don't fold and yet sort in another way: LT_LT some punctuation, PXW_TURK `ae` beside `Ä`."""

_COLLATION = (
    "SELECT TRIM(co.rdb$collation_name), TRIM(cs.rdb$character_set_name), co.rdb$collation_attributes"
    " FROM rdb$collations co JOIN rdb$character_sets cs ON cs.rdb$character_set_id = co.rdb$character_set_id"
)
_OF_COLUMN = sa.text(
    f"{_COLLATION} JOIN rdb$fields f ON f.rdb$character_set_id = co.rdb$character_set_id"
    " JOIN rdb$relation_fields rf ON rf.rdb$field_source = f.rdb$field_name"
    " AND co.rdb$collation_id = COALESCE(rf.rdb$collation_id, f.rdb$collation_id)"
    " WHERE rf.rdb$relation_name = :relation AND rf.rdb$field_name = :field"
)
_OF_CODE = sa.text(f"{_COLLATION} WHERE co.rdb$character_set_id = :charset AND co.rdb$collation_id = :collation")


def of_firebird(session: sa.Connection, selectable: Any, column: Column) -> str | None:
    """Return why a text column of Firebird sorts differently than it compares; None if it does not.

    The collation of a table's or view's column is in the catalog. That of a query is in the description of its result,
    as far as the text is in the character set of the session, UTF8.
    """
    if isinstance(selectable, sa.TableClause):
        denormalized = session.dialect.denormalize_name
        names = {"relation": str(denormalized(selectable.name)), "field": str(denormalized(column.name))}
        found = session.execute(_OF_COLUMN, names).first()
    else:
        charset, collation = _described(session, selectable, column)
        found = session.execute(_OF_CODE, {"charset": charset, "collation": collation}).first()
    if found is None:
        return None
    name, charset, attributes = found
    folds = bool((attributes or 0) & _FOLDS) and name not in _CONSISTENT
    if not folds and name not in _INCONSISTENT:
        return None
    return (
        f"has the collation {name}, by which it is sorted differently than it is compared, so pages would skip rows;"
        f" nothing was read.\nRead it with sql= and {column.name} COLLATE {charset} AS {column.name}, or name"
        " other columns"
    )


def _described(session: sa.Connection, query: Any, column: Column) -> tuple[int, int]:
    """Return the numbers of character set and collation of a query's column, from a statement that is not run."""
    one: Any = sa.select(sa.column(column.name)).select_from(query)
    connection: Any = session.connection.dbapi_connection
    cursor = connection.cursor()
    try:
        statement = cursor.prepare(str(one.compile(dialect=session.dialect)))
        try:
            collation, charset = divmod(statement._out_meta.get_charset(0), 256)  # noqa: SLF001  nothing public has it
        finally:
            statement.free()
    finally:
        cursor.close()
    return charset, collation


def attributes_of_firebird(session: sa.Connection, table: str, column: str) -> tuple[str, int] | None:
    """Return the collation of a table's column in Firebird, and the bits of its RDB$COLLATION_ATTRIBUTES.

    None for a column without one. Bit 1: it takes texts for equal that differ by spaces at their end.
    """
    denormalized = session.dialect.denormalize_name
    names = {"relation": str(denormalized(table)), "field": str(denormalized(column))}
    found = session.execute(_OF_COLUMN, names).first()
    return None if found is None else (str(found[0]), int(found[2] or 0))


def of_mysql(session: sa.Connection, selectable: Any, column: Column) -> str | None:  # noqa: ARG001
    """Return why a column of MySQL or MariaDB sorts differently than it compares; None if it does not."""
    type_ = column.type.partition("(")[0].lower()
    if type_ not in ("enum", "set"):
        return None
    return (
        f"is {type_}, which is sorted differently than it is compared, so pages would skip rows; nothing was read."
        f"\nRead it with sql= and CAST({column.name} AS CHAR) AS {column.name}, or name other columns"
    )
