"""Errors of a log whose transactions can't be read, and words for changes that can't be reported."""

from __future__ import annotations

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.errors import without_retry
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.places import text_of

PARTIAL_IMAGE = (
    "rows are in the log without all columns: SET GLOBAL binlog_row_image = 'FULL', and in no session another value"
)
PARTIAL_JSON = (
    "JSON values are in the log in parts: SET GLOBAL binlog_row_value_options = '', and in no session another value"
)
NO_KEY = "its key is NULL"
UNKNOWN_XA = (
    "an XA transaction was committed whose changes are in no part of the log that was read, as may be those of every"
    " table of the stream"
)
PURGED_XA = (
    "an XA transaction was committed whose changes are in a file of the log that is purged, as may be those of every"
    " table of the stream"
)
INCIDENT = "the server could not log changes, which may be those of every table of the stream"


def too_large(size: int, most: int) -> str:
    """Return in words that a row is too large."""
    return f"a row has {size} bytes in the log, more than max_row_bytes={most} (raise it to send the row)"


def damaged(conn_id: str, place: BinlogPlace, why: str) -> SourceError:
    """Return the error for events that no server writes in that order.

    Args:
        conn_id: Airflow's name of the connection.
        place: of the event.
        why: in words, without values.
    """
    return without_retry(
        f"forget the watermark, and let the stream begin again: the binlog of connection {conn_id!r} can't be read at"
        f" {text_of(place)}: {why}; nothing behind it was sent"
    )


def changed(conn_id: str, place: BinlogPlace) -> SourceError:
    """Return the error for a transaction that is another one when it is read again."""
    return damaged(conn_id, place, "the transaction that begins there is not the one that was read before")


def torn(conn_id: str, place: BinlogPlace, file: str) -> SourceError:
    """Return the error for a file that ends inside of a transaction which may have been committed.

    Args:
        conn_id: Airflow's name of the connection.
        place: where that transaction begins.
        file: that follows.
    """
    return without_retry(
        "forget the watermark, and let the stream begin again: the binlog of connection"
        f" {conn_id!r} is damaged. File {place.file!r} ends inside of a transaction, at {text_of(place)}, and the GTID"
        f" list of {file!r} does not show that it was never committed"
    )


def short(conn_id: str, place: BinlogPlace, until: str, seconds: float) -> SourceError:
    """Return the error for a log that does not reach the place where it ended.

    Args:
        conn_id: Airflow's name of the connection.
        place: where it ends.
        until: where it must end.
        seconds: that were waited.
    """
    return SourceError(
        f"run again: the binlog of connection {conn_id!r} ended at {text_of(place)} for {seconds:g} s, and said before"
        f" that it ends at {until}. It was reset, or the server is shutting down"
    )
