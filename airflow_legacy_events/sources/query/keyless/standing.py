"""Standing of a watermark of rows without a key: what can be judged without finding one row again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.sources.place import Values
from airflow_legacy_events.sources.query import last_rows
from airflow_legacy_events.sources.query.standing import AS_EXPECTED, Standing, Verdict

_LOOKED_AT = 10_000
"""Newest rows searched for the last delivered ones; rows of one tick have no order among themselves."""


class KeylessStanding(Standing):
    """As `Standing`, but a row is found again by the checksum of its values, since it has no key."""

    def _judge_overtaken(self) -> Verdict:
        """Rows at or above the watermark show nothing about those below it."""
        return AS_EXPECTED

    def _now_at(self) -> Values | None:
        return None

    def _refuse_returned(self, next_id: Any) -> None:
        """Rows without a key have no generator of ids."""

    def _newest_known(self, newest: Sequence[tuple[Any, ...]] | None = None) -> Values | None:  # noqa: ARG002
        known = set(self._known)
        rows = self.rows.newest(self._values, _LOOKED_AT) if known else []
        found = next((self.rows.values(row) for row in rows if last_rows.checksum(row) in known), None)
        if found is None and len(rows) == _LOOKED_AT:  # they may be among rows of their tick that were not searched
            return self.rows.values(rows[-1])
        return found
