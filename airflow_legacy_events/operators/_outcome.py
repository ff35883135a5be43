"""Outcome of a run as reported to Airflow: errors, report, assets."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from airflow.sdk import Asset, AssetAlias

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import Delivered
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.streams.asset_lock import lock_asset

REPORT_KEY = "report"


def failed(context: Any, report: Report, error: BaseException, log: logging.Logger) -> None:
    """Push the report of a failed run under the XCom key `report`; log it if the run has read something.

    A failure to push the report is added to the error's notes. The traceback is logged at DEBUG only: an error of ours
    says what to do, and Airflow's page would show the traceback's last lines instead.
    """
    try:
        context["ti"].xcom_push(key=REPORT_KEY, value=report.to_dict())
    except Exception as second:  # noqa: BLE001  the run's own error is raised
        error.add_note(f"and its report could not be pushed: {second}")
    if report.rows:
        log.info("%s", report)
    if isinstance(error, LegacyEventsError):
        log.debug("%s failed", report.stream, exc_info=error)


def topic_alias(topic: str) -> AssetAlias:
    """The alias under which other DAGs wait for events on `topic`."""
    return AssetAlias(f"legacy-events:{topic}")


def add_events(
    context: Any, report: Report, *, before: Delivered, topic: str, fixed: Collection[str], bootstrap: str
) -> None:
    """Emit asset events after a live run that delivered something, so that DAGs waiting for its topics run.

    Each topic has an asset.

    Args:
        context: of the task.
        report: of the try that succeeded.
        before: what the earlier tries delivered without emitting an event.
        topic: the destination, a template where each row names its topic; the alias carries it unrendered.
        fixed: the topics that were known before a row was read.
        bootstrap: of their broker.
    """
    if not report.events + before.events or report.mode != "live":
        return
    rows = dict.fromkeys(fixed, report.rows + before.rows)
    if not fixed:
        rows = dict(Delivered(topics=report.topics).plus(before).topics)
    for name in sorted(name for name, count in rows.items() if count):
        asset = Asset(f"kafka://{bootstrap}/{name}")
        lock_asset(asset.uri)
        context["outlet_events"][topic_alias(topic)].add(
            asset,
            extra={
                "stream": report.stream,
                "rows": rows[name],
                "watermark_to": report.watermark_to,
                "mode": report.mode,
            },
        )
