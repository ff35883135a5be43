"""What Airflow learns of a run: its errors, its report, its assets."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from airflow.sdk import Asset, AssetAlias

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import Delivered
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.operators._asset_lock import lock_asset

REPORT_KEY = "report"


def failed(context: Any, report: Report, error: BaseException, log: logging.Logger) -> None:
    """Leave the report of a failed run under the XCom key `report`, and in the log where it has read something.

    A failure to push it goes into the error's notes. How the error came about is logged at DEBUG: an error of ours
    says what to do, and Airflow's page would show the last lines of its traceback instead.
    """
    try:
        context["ti"].xcom_push(key=REPORT_KEY, value=report.to_dict())
    except Exception as second:  # noqa: BLE001  the run's own error goes on
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
    """Let DAGs that wait for the topics run, when a live run has brought events; each topic has an asset.

    Args:
        context: of the task.
        report: of the try that ended well.
        before: what the tries before it delivered, which could tell nobody.
        topic: where the events went, a template where each row names its topic; the alias carries it as it is.
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
