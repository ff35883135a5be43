"""Resets of a kept outbox: how to continue after the table was set back below its watermark."""

from __future__ import annotations

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.sources.query.resets import Resets
from airflow_legacy_events.sources.query.standing import TableResetError


class KeptResets(Resets):
    """As `Resets`, with the remedies of an outbox, whose operator has no `on_reset`."""

    def _refusal(self, found: TableResetError) -> str:
        grant = f" ({found.grant})" if found.grant else ""
        return (
            f"{self.what} was set back below the watermark of stream {self.stream!r}: {found.why}{grant}, so rows that"
            " were never sent may be below it; nothing was read."
            f"\nTo publish the table as it is now, start over with {command('forget', self.stream)}"
            f"\nTo continue at a position, set it with {command('set', self.stream, 'VALUE...')}"
        )
