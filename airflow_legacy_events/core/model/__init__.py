"""Domain types of the package: watermark, window, batch, messages, stream, horizon."""

from airflow_legacy_events.core.model.batch import ENDED, STARTED, Batch, Delivered
from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, Received
from airflow_legacy_events.core.model.horizon import (
    LEFT_ROWS,
    PENDING_ROWS,
    Backlog,
    Ceiling,
    HeldBack,
    Horizon,
    MetTopics,
    Opened,
    Pending,
)
from airflow_legacy_events.core.model.log import (
    HIDDEN,
    LogChunk,
    LogEvent,
    LogForm,
    LogGap,
    LogMessage,
    LogNotes,
    LogPosition,
    LogRows,
    LogState,
    LogTransaction,
    LogTruncate,
    TableName,
)
from airflow_legacy_events.core.model.meaning import Fields, Form, Meaning, TableOf, Wire
from airflow_legacy_events.core.model.messages import AnyHeaders, Headers, Messages
from airflow_legacy_events.core.model.payload import Payload
from airflow_legacy_events.core.model.replay import Repeat, RunMode, Span, Window
from airflow_legacy_events.core.model.stream import FORMATS, Formats, Stream
from airflow_legacy_events.core.model.watermark import PLACED, Receipt, Watermark, listed
from airflow_legacy_events.core.rejection import Rejection

__all__ = [
    "DELETE",
    "ENDED",
    "FORMATS",
    "HIDDEN",
    "LEFT_ROWS",
    "PENDING_ROWS",
    "PLACED",
    "STARTED",
    "TRUNCATE",
    "UPSERT",
    "AnyHeaders",
    "Backlog",
    "Batch",
    "Ceiling",
    "Delivered",
    "Fields",
    "Form",
    "Formats",
    "Headers",
    "HeldBack",
    "Horizon",
    "LogChunk",
    "LogEvent",
    "LogForm",
    "LogGap",
    "LogMessage",
    "LogNotes",
    "LogPosition",
    "LogRows",
    "LogState",
    "LogTransaction",
    "LogTruncate",
    "Meaning",
    "Messages",
    "MetTopics",
    "Opened",
    "Payload",
    "Pending",
    "Receipt",
    "Received",
    "Rejection",
    "Repeat",
    "RunMode",
    "Span",
    "Stream",
    "TableName",
    "TableOf",
    "Watermark",
    "Window",
    "Wire",
    "listed",
]
