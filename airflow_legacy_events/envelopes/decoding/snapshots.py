"""Snapshots that begin behind streamed changes of their table: what was deleted between is in no message."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from airflow_legacy_events.core.completeness import LEVELS

SEEN = "snapshots"
"""Fact: by table and partition, whether changes were streamed, and the name of the snapshot that began last."""

LOWERED = "lowered"
"""Fact: sentences that say why the completeness is `best_effort`, by kind."""

KIND = "snapshot"

_STREAMED, _NOT_YET = "streamed", "read"


class Sight(NamedTuple):
    """What a message shows.

    Attributes:
        place: of the message in its batch.
        table: that it is for.
        partition: that it comes from; None of a truncate, which counts for all.
        snapshot: name of the snapshot that read its row, None of a change.
        begins: whether that begins there.
    """

    place: int
    table: str
    partition: str | None
    snapshot: str | None = None
    begins: bool = False


class Snapshots:
    """Follows snapshots and changes of each table and partition.

    A snapshot without a name ends where a change is streamed; one with a name may be read in parts, between which
    changes are streamed. Rows that are only sent again belong to none.

    Args:
        log: of the task.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._seen: dict[str, dict[str, list[str | None]]] = {}
        self._reasons: dict[str, str] = {}
        self._behind: set[str] = set()
        self._changed = False

    def resume(self, facts: Mapping[str, Any]) -> None:
        """Continue from the facts that earlier messages added."""
        found = facts.get(SEEN) or {}
        self._seen = {table: {one: list(state) for one, state in parts.items()} for table, parts in found.items()}
        self._reasons = dict(facts.get(LOWERED) or {})

    def facts(self) -> dict[str, Any]:
        """Return what was added since the last call; {} if nothing was."""
        if not self._changed:
            return {}
        self._changed = False
        found: dict[str, Any] = {SEEN: {table: dict(parts) for table, parts in self._seen.items()}}
        if self._reasons:
            found[LOWERED] = dict(self._reasons)
        return found

    def lowered(self) -> tuple[str, str] | None:
        """Return completeness and reason, if a snapshot began behind changes; else None."""
        return (LEVELS[0], self._reasons[KIND]) if KIND in self._reasons else None

    def follow(self, sights: Iterable[Sight]) -> None:
        """Note what the messages of a batch show."""
        for one in sorted(sights, key=lambda one: one.place):
            if one.partition is None:
                self.truncated(one.table)
            elif one.snapshot is None:
                self.streamed(one.table, one.partition)
            else:
                self.read(one.table, one.partition, one.snapshot, begins=one.begins)

    def streamed(self, table: str, partition: str) -> None:
        """Note a change."""
        state = self._seen.setdefault(table, {}).get(partition)
        if state is None or state[0] != _STREAMED or state[1] == "":
            self._seen[table][partition] = [_STREAMED, (None if state is None else state[1]) or None]
            self._changed = True

    def read(self, table: str, partition: str, name: str, *, begins: bool = False) -> None:
        """Note a row of a snapshot, or that a snapshot begins."""
        state = self._seen.setdefault(table, {}).get(partition) or [_NOT_YET, None]
        if state[1] == name and not begins:
            return
        if state[0] == _STREAMED or state[1] is not None:
            self._warn(table)
        self._seen[table][partition] = [_NOT_YET if begins else state[0], name]
        self._changed = True

    def truncated(self, table: str) -> None:
        """Note that a table was emptied, so that nothing that was deleted before is left over."""
        if self._seen.pop(table, None):
            self._changed = True

    def _warn(self, table: str) -> None:
        if table in self._behind:
            return
        self._behind.add(table)
        reason = (
            f"a snapshot of table {table} began behind its streamed changes, or behind an earlier one: rows that were"
            " deleted between are in no message, and may be left over"
        )
        self._reasons.setdefault(KIND, reason)
        self._log.warning(
            "%s. Apply the topic to a new table from its beginning, or delete what the snapshot does not hold; then"
            " watermark rewind or forget the stream",
            reason,
        )
