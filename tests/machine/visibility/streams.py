"""Streams of the visibility machine: what they have sent, what they claim, and the probes that look beside them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.report import Report
from airflow_legacy_events.sources.query import QuerySource
from tests.machine.machine import Interrupted
from tests.machine.visibility.words import Written
from tests.support.legacy import Legacy
from tests.support.streams import Deliveries


@dataclass
class Read:
    """A stream of a table, by one watermark column.

    Attributes:
        unfinished: whether its last run ended before its target.
    """

    table: Written
    column: str
    deliveries: Deliveries
    unfinished: bool = False

    def run(self, **limits: Any) -> Report:
        """Run once, and check what the run claims."""
        self.broker.open()
        report = self.deliveries.run(**limits)
        claimed = report.completeness, report.completeness_reason
        assert claimed[0] == self.table.reads[self.column], claimed
        self.unfinished = not report.target_reached
        return report

    @property
    def broker(self) -> Interrupted:
        """Of its topic."""
        assert isinstance(self.deliveries.broker, Interrupted)
        return self.deliveries.broker

    def sent(self) -> dict[int, int]:
        """Return the last version that was sent of each row."""
        found = (json.loads(message.value)["data"] for message in self.broker.topic("topic"))
        return {int(data["id"]): data["n"] for data in found}

    def repeated(self) -> list[str]:
        """Return the event ids that were sent twice; no run was killed."""
        ids = Counter(json.loads(message.value)["id"] for message in self.broker.topic("topic"))
        return [one for one, times in ids.items() if times > 1]

    @property
    def is_probed(self) -> bool:
        """Whether a sensor may look at it."""
        return self.column != "xmin"

    def pending(self, probe: QuerySource) -> int:
        """Return how many rows a probe sees, as a sensor does."""
        return probe.pending(self.deliveries.store.load(self.deliveries.name)).rows


@contextmanager
def probe_of(legacy: Legacy, read: Read) -> Iterator[QuerySource]:
    """A source that is looked at again and again."""
    options: dict[str, Any] = {"table": read.table.name, "watermark_columns": (read.column,)}
    database = legacy.database()
    try:
        yield QuerySource(database=database, stream=read.deliveries.name, source="legacy", **options)
    finally:
        database.close()
