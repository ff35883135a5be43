"""Foreign keys of targets: which tables are written first, and what a delete takes along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from airflow_legacy_events.databases.table_names import TableName

_TAKES_ALONG = frozenset({"CASCADE"})


class ForeignKey(NamedTuple):
    """A foreign key.

    Attributes:
        name: of it; empty if it has none.
        table: that has it.
        columns: of that table.
        parent: table that it points to.
        on_delete: `CASCADE` or another action, in upper case; empty if there is none.
        on_update: likewise.
        to: columns of the parent; () where the catalog does not say.
        deferred: whether the database judges it at COMMIT.
    """

    name: str
    table: TableName
    columns: tuple[str, ...]
    parent: TableName
    on_delete: str = ""
    on_update: str = ""
    to: tuple[str, ...] = ()
    deferred: bool = False


def parents_of(own: Iterable[ForeignKey], others: Mapping[str, TableName | None], table: TableName) -> tuple[str, ...]:
    """Return the tables that foreign keys point to, as the user wrote them.

    Args:
        own: foreign keys of the table.
        others: tables of the same run, by what the user wrote.
        table: whose they are; one that points to itself is not its parent.
    """
    pointed = {one.parent for one in own} - {table}
    return tuple(written for written, name in others.items() if name in pointed)


def warnings_of(children: Iterable[ForeignKey], table: str) -> tuple[str, ...]:
    """Return what a person should know of foreign keys that point to a table."""
    found = list(children)
    along = [one for one in found if one.on_delete in _TAKES_ALONG]
    warnings = []
    if along:
        warnings.append(
            f"deleting a row of table {table!r} deletes its children too, by {_listed(along)} (ON DELETE CASCADE); no"
            " message brings them back where a delete and the insert of the same key are in two batches. Use"
            " on_delete='soft', or ON DELETE RESTRICT, to keep them"
        )
    if stays := [one for one in found if one.on_update not in _TAKES_ALONG]:
        warnings.append(
            f"a message that changes a key of table {table!r} is refused where {_listed(stays)} refers to the row,"
            " since it has no ON UPDATE CASCADE"
        )
    return tuple(warnings)


def _listed(some: Sequence[ForeignKey]) -> str:
    return ", ".join(f"foreign key {one.name or '(unnamed)'} of {one.table.name}" for one in some)
