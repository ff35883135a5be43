"""What Airflow learns of a run: its errors, its report, its assets."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset, AssetAlias
from airflow.sdk.exceptions import AirflowFailException

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.report import Report

REPORT_KEY = "report"


def final(error: LegacyEventsError) -> LegacyEventsError:
    """Return `error`, as one that Airflow does not retry where a retry can't help."""
    if error.retry_helps or isinstance(error, AirflowFailException):
        return error
    kind = _final_class(type(error))
    made = kind.__new__(kind, *error.args)
    made.args = error.args
    made.__dict__.update(error.__dict__)
    made.__cause__, made.__suppress_context__ = error.__cause__, error.__suppress_context__
    return made.with_traceback(error.__traceback__)


def _final_class(kind: type[LegacyEventsError]) -> type[LegacyEventsError]:
    return type(kind.__name__, (kind, AirflowFailException), {"__doc__": kind.__doc__, "__module__": kind.__module__})


def push_report(context: Any, report: Report, error: BaseException) -> None:
    """Leave the report of a failed run under the XCom key `report`; a failure to do so goes into the error's notes."""
    try:
        context["ti"].xcom_push(key=REPORT_KEY, value=report.to_dict())
    except Exception as second:  # noqa: BLE001  the run's own error goes on
        error.add_note(f"and its report could not be pushed: {second}")


def topic_alias(topic: str) -> AssetAlias:
    """The alias under which other DAGs wait for events on `topic`."""
    return AssetAlias(f"legacy-events:{topic}")


def add_events(context: Any, report: Report, *, topic: str, bootstrap: str) -> None:
    """Let DAGs that wait for the topic run, when a live run has brought events."""
    if not report.events or report.mode != "live":
        return
    context["outlet_events"][topic_alias(topic)].add(
        Asset(f"kafka://{bootstrap}/{topic}"),
        extra={
            "stream": report.stream,
            "rows": report.rows,
            "watermark_to": report.watermark_to,
            "mode": report.mode,
        },
    )
