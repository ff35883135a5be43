"""Errors that have the same wording for every database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import ConfigurationError, EnvelopeError, LegacyEventsError, SourceError

Failure = TypeVar("Failure", bound=LegacyEventsError)


def one_line(error: object) -> str:
    """Return an error's text on one line. For SQLAlchemy errors, this is the driver's text without the statement."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def failed(conn_id: str, doing: str, reason: object) -> SourceError:
    """Return the error for a failed statement; `reason` is the text of the driver or the server."""
    return SourceError(f"connection {conn_id!r} failed while {doing}: {reason}")


def refused_extra(conn_id: str, extra: str, why: str) -> ConfigurationError:
    """Return the error for an extra that can't be used. It never contains the extra's value.

    Args:
        conn_id: Airflow's name of the connection.
        extra: its name.
        why: what is wrong with it, to complete the sentence "it …".
    """
    return ConfigurationError(
        f"correct or remove extra {extra!r} of connection {conn_id!r}: it {why}. Nothing was read"
    )


def silent(conn_id: str, doing: str, seconds: float) -> SourceError:
    """Return the error for a session that was cut because it had not answered for `seconds`."""
    return SourceError(
        f"connection {conn_id!r} did not answer for {seconds:g} s while {doing}, though it stayed connected; the"
        " connection was closed. Check what is between the worker and the database, such as a proxy; a retry continues"
    )


def timed_out(seconds: float) -> str:
    """Return the reason for an interrupted statement. It can't distinguish a timeout from a stop."""
    return f"cancelled after the statement timeout of {seconds:g} s, or by a stop request"


def refused_query(conn_id: str, reason: object, hint: str = "") -> ConfigurationError:
    """Return the error for a query that the database refused before it read a row.

    Args:
        conn_id: Airflow's name of the connection.
        reason: the text of the driver or the server.
        hint: a sentence on how queries are run here, ending in a full stop.
    """
    return ConfigurationError(
        f"connection {conn_id!r} refused the query: {reason}. {hint and f'{hint} '}Nothing was read; correct table= or"
        " sql="
    )


def with_grants(error: Failure, grants: Sequence[str]) -> Failure:
    """Return a missing-rights error with the GRANT statements appended, each on its own line."""
    if not grants:
        return error
    made = type(error)(f"{error}. Run the GRANT{'s' if len(grants) > 1 else ''} below:\n" + "\n".join(grants))
    made.retry_helps = error.retry_helps
    return made


def too_large(conn_id: str, what: str, most: int) -> EnvelopeError:
    """Return the error for a value above the row size limit.

    Args:
        conn_id: Airflow's name of the connection.
        what: names the column and its size, where known.
        most: `max_row_bytes`.
    """
    return EnvelopeError(
        f"connection {conn_id!r}: {what}, and at most {most} are read; its page was not sent. Leave the column out with"
        " exclude_columns=[...], shorten it with sql=, or raise max_row_bytes="
    )


def row_too_large(conn_id: str, found: int, most: int, key: Sequence[str]) -> EnvelopeError:
    """Return the error for a row that is too large. It contains no data of the row.

    Args:
        conn_id: Airflow's name of the connection.
        found: size of the row in bytes, at least.
        most: `max_row_bytes`.
        key: names of the key columns, if any.
    """
    keyed = f"; key columns {', '.join(map(repr, key))}" if key else ""
    return EnvelopeError(
        f"connection {conn_id!r}: a row of {found} bytes is larger than max_row_bytes={most}{keyed}; its page was not"
        " sent. Leave a column out with exclude_columns=[...], shorten it with sql=, or raise max_row_bytes="
    )


def unreadable(conn_id: str, column: str | None, remedy: str, encoding: str = "UTF-8") -> SourceError:
    """Return the error for text that is not in the expected encoding. It contains none of the text.

    Args:
        conn_id: Airflow's name of the connection.
        column: the column with the text; None if unknown.
        remedy: how to read the column instead, with `{name}` for its name.
        encoding: the encoding that was expected.
    """
    what, name = ("a text column", "x") if column is None else (f"column {column!r}", column)
    error = SourceError(
        f"connection {conn_id!r}: {what} holds bytes in a row that can't be read as {encoding}, so its text is unknown;"
        f" no row of its batch was sent. Fix such rows, or read the column {remedy.format(name=name)}"
    )
    error.retry_helps = False
    return error


def became_null(column: Column) -> SourceError:
    """Return the error for a NULL in a position column that had none when the run began."""
    return SourceError(f"column {column.name!r} is part of the watermark and became NULL while the rows were read")


def without_retry(message: str) -> SourceError:
    """Return the error of a source that the next try would meet again."""
    error = SourceError(message)
    error.retry_helps = False
    return error
