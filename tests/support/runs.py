"""Runs of a relay whose ports work, and what holds of each."""

from __future__ import annotations

import itertools
import json

from airflow_legacy_events.core.limits import Limits
from tests.support.crashes import Process, World
from tests.support.fakes import Outbox, OutboxSource, ids

REPORT_KEYS = {
    *("stream", "mode", "rows", "events", "rejected", "skipped", "batches", "bytes", "watermark_from", "watermark_to"),
    *("horizon", "target_reached", "held_back", "completeness", "completeness_reason", "seconds", "topics", "window"),
    "backlog",
    "table_reset",
    "rows_left",
    "log",
}


def process(world: World, table: Outbox, **options) -> Process:
    """A process whose clock moves a second with every look, so that every batch is saved."""
    made = Process(world, OutboxSource(table, **options), clock=itertools.count().__next__)
    made.relay.limits = Limits(batch_rows=3)
    return made


def saved(world: World) -> list[int]:
    return [one for mark in world.saved for one in ids(mark.receipt or ())]


def report_of(made: Process) -> dict:
    """The report, whose promises hold whatever became of the run."""
    report = made.relay.report.to_dict()
    assert set(report) == REPORT_KEYS
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["rows"] == report["events"] + report["rejected"] + report["skipped"]
    assert report["completeness_reason"]
    return report
