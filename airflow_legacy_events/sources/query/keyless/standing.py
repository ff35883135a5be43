"""Standing of a watermark of rows without a key: what can be told without finding one row again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.sources.place import Values
from airflow_legacy_events.sources.query import last_rows
from airflow_legacy_events.sources.query.standing import AS_EXPECTED, Standing, Verdict

_LOOKED_AT = 10_000
"""Rows among which those that were delivered last are looked for; of one tick they have no order."""


class KeylessStanding(Standing):
    """As `Standing`; no row is found again by its key, only by what was read of it."""

    def _judge_overtaken(self) -> Verdict:
        """Rows at or above the watermark tell nothing of those below."""
        return AS_EXPECTED

    def _now_at(self) -> Values | None:
        return None

    def _refuse_returned(self, next_id: Any) -> None:
        """A generator of ids hands out none for rows that are known by nothing."""

    def _newest_known(self, newest: Sequence[tuple[Any, ...]] | None = None) -> Values | None:  # noqa: ARG002
        known = set(self._known)
        rows = self.rows.newest(self._values, _LOOKED_AT) if known else []
        found = next((self.rows.values(row) for row in rows if last_rows.checksum(row) in known), None)
        if found is None and len(rows) == _LOOKED_AT:  # they may lie among the others of their tick
            return self.rows.values(rows[-1])
        return found
