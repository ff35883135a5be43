"""Keys of a target table of PostgreSQL: which unique index identifies a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_legacy_events.databases.postgres.target.catalog import Attribute, Found, Unique

_ENUM, _RECORDS = "e", frozenset({"c", "r", "m"})
_SPELLED = frozenset({"interval", "inet", "cidr", "jsonb", "tsvector", "tsquery", "xml"})
"""Types of the server that take unlike texts for one value, and whose values are carried as text."""


def usable(found: Found) -> list[Unique]:
    """Return the unique indexes that compare as their columns do, the primary key's first."""
    by_number = {one.number: one for one in found.columns}
    return [one for one in found.unique if not one.exclusion and _same(one, by_number)]


def find_key(found: Found, named: Sequence[str]) -> Unique | None:
    """Return the index of the key: over the columns that were named, else the primary key, else over NOT NULL columns.

    Args:
        found: in the catalog.
        named: names of the key's columns; empty if the user named none.
    """
    columns = {one.number: one for one in found.columns}
    for one in sorted(usable(found), key=lambda index: not index.immediate):
        names = [columns[number].name for number in one.numbers]
        if sorted(names) == sorted(named):
            return one
    if named:
        return None
    required = [one for one in usable(found) if all(columns[number].required for number in one.numbers)]
    return next((one for one in required if one.primary), None) or next(iter(required), None)


def missing_key(found: Found, named: Sequence[str]) -> str:
    """Return the sentence for a table without such a key."""
    table = found.table
    if not named:
        return (
            "it has no primary key, and no unique index over NOT NULL columns: ALTER TABLE"
            f" {table.name} ADD PRIMARY KEY (...), or give mode='append'"
        )
    by_name = {one.name: one.quoted for one in found.columns}
    columns = ", ".join(by_name.get(one, one) for one in named)
    if lacking := [one for one in table.partition_keys if one not in named]:
        return (
            f"key_columns can't identify its rows without {', '.join(lacking)}, which it is partitioned by"
            f" ({table.partitioned}): a row that moves to another partition would be two. Add them to key_columns, or"
            " apply the topic to a table that is not partitioned"
        )
    return f"no unique index covers key_columns: CREATE UNIQUE INDEX CONCURRENTLY ON {table.name} ({columns})"


def _same(index: Unique, columns: Mapping[int, Attribute]) -> bool:
    """Return whether the index takes for equal what a comparison of its columns does."""
    if not index.numbers or 0 in index.numbers or len(index.equals) != len(index.numbers):
        return False
    pairs = zip(index.numbers, index.collations, strict=True)
    return all(columns[number].collation == collation for number, collation in pairs)


def is_spelled(column: Attribute) -> bool:
    """Return whether a column's type or collation takes unlike texts for one value, in a way that only it knows."""
    if column.folded or column.array:
        return True
    if not column.builtin:
        return column.class_ != _ENUM
    return column.base in _SPELLED or column.class_ in _RECORDS
