"""Filter of changes while a table's snapshot is not complete: those beyond the reached key come with a later leg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.core.model import LogRows
from airflow_legacy_events.core.ports import ChangeLog
from airflow_legacy_events.sources.changelog.leg_state import BROKEN, TableProgress
from airflow_legacy_events.sources.changelog.tables import LoggedTable

_REMEMBERED = 100_000
"""Keys whose side is remembered; forgetting them costs one more statement."""


class KeyFilter:
    """Finds the changes to send of a table whose snapshot has reached a key.

    On which side of that key another one lies is for the database to say, since it depends on collations. One query
    covers all new keys of a block, and its answers are remembered until the snapshot continues.
    """

    def __init__(self, log: ChangeLog) -> None:
        self._log = log
        self._of: tuple[str, tuple[str, ...]] | None = None
        self._beyond: dict[tuple[Any, ...], bool] = {}

    def kept(self, part: LogRows, table: LoggedTable, progress: TableProgress, key: Sequence[int]) -> list[int]:
        """Return the places of the changes to send.

        A change at or below the reached key is sent. One beyond it is not, because a later leg holds it. After a leg
        that broke off rows beyond that key may have been sent, so deletes of such rows are sent too.

        Args:
            part: changes of one table.
            table: the same.
            progress: of its snapshot.
            key: places of the key columns in a row.
        """
        keys = [tuple(row[at] for at in key) for row in part.rows]
        beyond = self._sides(table, progress.key, keys)
        deletes = progress.leg == BROKEN
        return [
            at
            for at, (one, op) in enumerate(zip(keys, part.ops, strict=True))
            if not beyond[one] or (deletes and op == "d")
        ]

    def _sides(
        self, table: LoggedTable, reached: tuple[str, ...] | None, keys: Sequence[tuple[Any, ...]]
    ) -> dict[tuple[Any, ...], bool]:
        if reached is None:
            return dict.fromkeys(keys, True)
        if self._of != (table.name, reached) or len(self._beyond) > _REMEMBERED:
            self._of, self._beyond = (table.name, reached), {}
        if new := [one for one in dict.fromkeys(keys) if one not in self._beyond]:
            self._beyond.update(zip(new, self._log.beyond(table.entry, reached, new), strict=True))
        return self._beyond
