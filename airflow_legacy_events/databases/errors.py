"""The errors that every database words alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import ConfigurationError, EnvelopeError, LegacyEventsError, SourceError

Failure = TypeVar("Failure", bound=LegacyEventsError)


def one_line(error: object) -> str:
    """Return the text of an error in one line; of SQLAlchemy's errors that of the driver, without the statement."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def failed(conn_id: str, doing: str, reason: object) -> SourceError:
    """Return the error for a statement that failed, `reason` as the driver or the server words it."""
    return SourceError(f"connection {conn_id!r} failed while {doing}: {reason}")


def refused_extra(conn_id: str, extra: str, why: str) -> ConfigurationError:
    """Return the error for an extra that can't be used; it never holds what the extra holds.

    Args:
        conn_id: Airflow's name of the connection.
        extra: its name.
        why: what is wrong with it, as the rest of a sentence.
    """
    return ConfigurationError(
        f"correct or remove extra {extra!r} of connection {conn_id!r}: it {why}. Nothing was read"
    )


def silent(conn_id: str, doing: str, seconds: float) -> SourceError:
    """Return the error for a session that was cut, since it had answered nothing for so long."""
    return SourceError(
        f"connection {conn_id!r} answered nothing for {seconds:g} s while {doing}, though it stayed connected; the"
        " connection was cut. Look at what lies between the worker and the database, such as a proxy; a retry goes on"
    )


def timed_out(seconds: float) -> str:
    """Return the reason for a statement that was interrupted; whether by its timeout or by a stop can't be known."""
    return f"ended after the statement timeout of {seconds:g} s, or by a stop"


def refused_query(conn_id: str, reason: object, hint: str = "") -> ConfigurationError:
    """Return the error for a query that the database refused before it read a row.

    Args:
        conn_id: Airflow's name of the connection.
        reason: as the driver or the server words it.
        hint: a sentence on how queries are read here, ending in a full stop.
    """
    return ConfigurationError(
        f"connection {conn_id!r} refused the query: {reason}. {hint and f'{hint} '}Nothing was read; correct table= or"
        " sql="
    )


def with_grants(error: Failure, grants: Sequence[str]) -> Failure:
    """Return an error for which rights are missing with the statements that give them, each on a line of its own."""
    if not grants:
        return error
    made = type(error)(f"{error}. Run the GRANT{'s' if len(grants) > 1 else ''} below:\n" + "\n".join(grants))
    made.retry_helps = error.retry_helps
    return made


def too_large(conn_id: str, what: str, most: int) -> EnvelopeError:
    """Return the error for a value larger than a row may be.

    Args:
        conn_id: Airflow's name of the connection.
        what: names column and size, as far as they are known.
        most: `max_row_bytes`.
    """
    return EnvelopeError(
        f"connection {conn_id!r}: {what}, and {most} is the most that is read; its page was not sent. Leave"
        " the column out with exclude_columns=[...], cut it with sql=, or raise max_row_bytes="
    )


def row_too_large(conn_id: str, found: int, most: int, key: Sequence[str]) -> EnvelopeError:
    """Return the error for a row that is too large; it holds nothing of the row.

    Args:
        conn_id: Airflow's name of the connection.
        found: bytes of the row, at least.
        most: `max_row_bytes`.
        key: names of the key columns, as far as there are any.
    """
    keyed = f"; key columns {', '.join(map(repr, key))}" if key else ""
    return EnvelopeError(
        f"connection {conn_id!r}: a row of {found} bytes, max_row_bytes={most} is the most that is read{keyed}; its"
        " page was not sent. Leave a column out with exclude_columns=[...], cut it with sql=, or raise max_row_bytes="
    )


def unreadable(conn_id: str, column: str | None, remedy: str, encoding: str = "UTF-8") -> SourceError:
    """Return the error for text in an encoding other than the expected one; it holds nothing of the text.

    Args:
        conn_id: Airflow's name of the connection.
        column: where the text is; None where that is unknown.
        remedy: how to read the column instead, with `{name}` for its name.
        encoding: as which the text can't be read.
    """
    what, name = ("a text column", "x") if column is None else (f"column {column!r}", column)
    error = SourceError(
        f"connection {conn_id!r}: {what} holds bytes in a row that can't be read as {encoding}, so its text is unknown;"
        f" nothing of its batch was sent. Mend such rows, or read the column {remedy.format(name=name)}"
    )
    error.retry_helps = False
    return error


def became_null(column: Column) -> SourceError:
    """Return the error for a NULL in a position column that held none when the run began."""
    return SourceError(f"column {column.name!r} is part of the watermark and became NULL while the rows were read")
