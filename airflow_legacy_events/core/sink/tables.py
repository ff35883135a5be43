"""Tables of a target as the last run left them: their identity, and whether they held rows.

A table that was made again, truncated or restored alone while the position stayed would never get its rows back: no
message would be read twice, and each run would be green.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, TableChanges, TargetShape
from airflow_legacy_events.core.ports.target import Counts, Target, Unit

FACT = "object"
"""Fact of a watermark: by table its `id`, as far as the database has one, and whether it held `rows`.

Where ALTER TABLE changes the identity, also the keys of the rows that were applied `last`, by which the table is known.
"""

_LAST_KEYS = 3


class KnownTables:
    """Compares the tables of a target with what the last run left, and keeps what this run leaves.

    Args:
        target: of the tables.
        stream: for errors.
        shapes: of the tables that may be written, as far as they are known; None of one that does not exist.
        emptied: whether an empty table is compared too; one that is only appended to may be emptied at will.
    """

    def __init__(self, target: Target, stream: str, shapes: Mapping[str, TargetShape | None], *, emptied: bool) -> None:
        self._target, self._stream, self._shapes, self._emptied = target, stream, shapes, emptied
        self._known: dict[str, dict[str, Any]] = {}

    def loaded(self, at: Watermark | None) -> None:
        """Check that each table is the one that the last run left.

        Raises:
            WatermarkError: another table has its name, or it is empty now.
        """
        self._known = {name: dict(one) for name, one in ((at and at.facts.get(FACT)) or {}).items()}
        for name in self._known.keys() & self._shapes.keys():
            known, shape = self._known[name], self._shapes[name]
            if shape is None:
                raise self._changed(name, "does not exist any more")
            self._check_identity(name, known, shape)
            if self._emptied and known.get("rows") and not self._holds(shape):
                raise self._changed(name, "is empty, and held rows when the last run ended")

    def meet(self, tables: Mapping[str, TableChanges]) -> None:
        """Take note of tables that are about to be written for the first time; no transaction is open."""
        for name in tables:
            if name not in self._known:
                self._known[name] = {"id": self._target.identity(name)}

    def left(self, unit: Unit, tables: Mapping[str, TableChanges], counts: Mapping[str, Counts]) -> Mapping[str, Any]:
        """Return what this transaction leaves, as facts.

        Args:
            unit: the transaction, behind its changes.
            tables: what was applied.
            counts: what became of it.
        """
        for name, changes in tables.items():
            known, done = self._known.setdefault(name, {"id": None}), counts.get(name, Counts())
            if self._target.identity_moves and changes.shape.key:
                known["last"] = _last_keys(known.get("last", ()), changes)
            if DELETE in changes.ops or TRUNCATE in changes.ops:
                known["rows"] = unit.holds(changes.shape)
            elif done.upserted:
                known["rows"] = True
            elif "rows" not in known:
                known["rows"] = unit.holds(changes.shape)
        return self.facts()

    def facts(self) -> Mapping[str, Any]:
        """Return what is known of the tables, as facts."""
        return {FACT: {name: dict(one) for name, one in sorted(self._known.items())}} if self._known else {}

    def _check_identity(self, name: str, known: dict[str, Any], shape: TargetShape) -> None:
        found = None if known.get("id") is None else self._target.identity(name)
        if found == known.get("id"):
            return
        if not (self._target.identity_moves and self._target.has_one(shape, known.get("last", ()))):
            raise self._changed(name, "is another one than the last run wrote")
        known["id"] = found

    def _holds(self, shape: TargetShape) -> bool:
        with self._target.transaction() as unit:
            found = unit.holds(shape)
            unit.roll_back()
        return found

    def _changed(self, name: str, what: str) -> WatermarkError:
        stream = self._stream
        return WatermarkError(
            f"table {name!r} {what}, so rows below the position of stream {stream!r} are missing; nothing was read."
            f"\nTo apply the messages of a time again: {command('rewind', stream, '--by 7d')}"
            f"\nTo start over: {command('forget', stream)}"
            f"\nTo continue with the table as it is: {command('set', stream, '--accept object')}"
        )


def _last_keys(before: Sequence[Sequence[str]], changes: TableChanges) -> list[list[str]]:
    """Return the keys that were written last and not deleted since, the last one first.

    Args:
        before: of the batches before.
        changes: of this one.
    """
    found = dict.fromkeys(tuple(one) for one in reversed(before))
    for at, (op, row) in enumerate(zip(changes.ops, changes.rows, strict=True)):
        found.pop(changes.moved.get(at, ()), None)
        if op == TRUNCATE:
            found.clear()
            continue
        key = tuple(str(row[position]) for position in changes.shape.key)
        found.pop(key, None)
        if op != DELETE:
            found[key] = None
    return [list(one) for one in list(reversed(found))[:_LAST_KEYS]]
