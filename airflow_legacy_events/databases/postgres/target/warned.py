"""What a person should know before a table of PostgreSQL is written to."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_legacy_events.core.ports.target import Wanted
from airflow_legacy_events.databases.postgres.target.catalog import Found, Unique

_CASCADE = "c"
_TAKEN = {"c": "ON DELETE CASCADE", "n": "ON DELETE SET NULL", "d": "ON DELETE SET DEFAULT"}


def of_table(found: Found, wanted: Wanted, key: Unique | None) -> Iterator[str]:
    """Yield a sentence for each.

    Args:
        found: in the catalog.
        wanted: how it is to be written.
        key: index of the key; None for a table that is only appended to.
    """
    table = found.table
    if key is None:
        return
    yield from _of_children(found, deletes=wanted.deleted is None)
    if wanted.deleted is None and not table.may_delete:
        yield (
            f"this user may not delete rows, so a delete ends the run. Run the GRANT below:\nGRANT DELETE ON"
            f" {table.name} TO {table.user}"
        )
    if table.partition_keys:
        yield (
            f"{table.name} is partitioned by {', '.join(table.partition_keys)}, which its key holds: a row that moves"
            " to another partition is another row, unless its messages hold the former key"
        )


def _of_children(found: Found, *, deletes: bool) -> Iterator[str]:
    table, children = found.table, [one for one in found.keys if not one.own]
    if stays := [f"{one.name} of {one.table}" for one in children if one.on_update != _CASCADE]:
        yield (
            f"a message that changes a key of {table.name} is refused where foreign key {', '.join(stays)} points to"
            " the row, since it has no ON UPDATE CASCADE"
        )
    for one in children:
        if deletes and one.on_delete in _TAKEN:
            yield (
                f"foreign key {one.name} of {one.table} points to {table.name} {_TAKEN[one.on_delete]}: a delete,"
                " whose row may come again in a later batch, changes its rows too, and no message brings them back"
            )
