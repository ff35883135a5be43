"""Errors of a log that can't be decoded; each names file and position."""

from __future__ import annotations

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.places import text_of
from airflow_legacy_events.databases.mysql.changelog.torn_file import TornFileError


def torn(place: BinlogPlace) -> TornFileError:
    """Return the error for a file that ends inside of the event that begins at a place."""
    return TornFileError(
        "run again, and if it fails alike, let the stream begin again: binlog file"
        f" {place.file!r} ends inside of an event, at {text_of(place)}",
        place,
    )


def damaged(place: BinlogPlace, why: str) -> SourceError:
    """Return the error for an event that is not what the server wrote.

    Args:
        place: where it begins.
        why: in words, without values.
    """
    return SourceError(
        "run again, and if it fails alike, let the stream begin again: the binlog is damaged at"
        f" {text_of(place)}: {why}. Nothing behind it can be read safely"
    )


def unknown(place: BinlogPlace, kind: int) -> SourceError:
    """Return the error for an event of a type that may hold changes, and that is not known."""
    found = SourceError(
        f"upgrade this package, or let the stream begin again: the binlog has an event of type {kind} at"
        f" {text_of(place)}, which this version does not know and must not skip"
    )
    found.retry_helps = False
    return found


def encrypted(file: str) -> SourceError:
    """Return the error for a file that only its server can read."""
    found = SourceError(
        f"read binlog file {file!r} from its server: it is encrypted, and the server decrypts what it sends"
    )
    found.retry_helps = False
    return found
