"""Keys of a target table of PostgreSQL: which unique index identifies a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_legacy_events.databases.postgres.target.catalog import Attribute, Found, Unique

_ENUM, _RECORDS = "e", frozenset({"c", "r", "m"})
_SPELLED = frozenset({"interval", "inet", "cidr", "tsvector", "tsquery", "xml"})
"""Types of the server that take unlike texts for one value, and whose values are carried as text."""


def usable(found: Found) -> list[Unique]:
    """Return the unique indexes that compare as their columns do, the primary key's first."""
    by_number = {one.number: one for one in found.columns}
    return [one for one in found.unique if not one.exclusion and _same(one, by_number)]


def index_of(usable: Sequence[Unique], numbers: Sequence[int]) -> Unique | None:
    """Return the index over exactly these columns, one that judges each row at once before others; None if none is."""
    found = [one for one in usable if numbers and sorted(one.numbers) == sorted(numbers)]
    return next((one for one in found if one.immediate), None) or next(iter(found), None)


def are_immediate(usable: Sequence[Unique], found: Found, positions: Sequence[int]) -> bool:
    """Return whether an index over exactly these columns judges each row at once."""
    index = index_of(usable, [found.columns[at].number for at in positions])
    return index is not None and index.immediate


def are_all_immediate(found: Found, index: Unique) -> bool:
    """Return whether all indexes over the columns of one judge each row at once: ON CONFLICT takes them all."""
    same = [one for one in found.unique if sorted(one.numbers) == sorted(index.numbers)]
    return all(one.immediate and not one.exclusion for one in same)


def remedies(found: Found, named: Sequence[str]) -> list[str]:
    """Return what gives the table a key, where an index is missing.

    Args:
        found: in the catalog.
        named: names of the key's columns, as the user gave them.
    """
    table, quoted = found.table, {one.name: one.quoted for one in found.columns}
    if not named or not set(named) <= quoted.keys():
        return []
    lacking = [one for one in table.partition_keys if one not in named]
    if lacking:
        by = ", ".join(lacking)
        text = (
            f"add {by} to key_columns, since it is partitioned by {by} ({table.partitioned}) and a row that moves to"
            " another partition would be two; or apply the topic to a table that is not partitioned"
        )
        return [text]
    if index_of(usable(found), [one.number for one in found.columns if one.name in named]) is not None:
        return []
    columns = ", ".join(quoted[one] for one in named)
    return [f"such an index: CREATE UNIQUE INDEX CONCURRENTLY ON {table.name} ({columns})"]


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
