"""Errors of a stream of the change log: what the server said, and what to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.postgres.session import reason

READING = "reading the change log"

_NOT_CONVERTED = (psycopg.errors.CharacterNotInRepertoire, psycopg.errors.UntranslatableCharacter)
_UNCONVERTED = (
    ". The log holds a text that the server can't convert to UTF-8, and it goes no further: take the table out of the"
    " stream, drop the slot by `airflow legacy-events slots drop`, and let the stream begin again"
)


@contextmanager
def translated(conn_id: str, closed: threading.Event) -> Iterator[None]:
    """Return a context in which the driver's errors become `SourceError`.

    Args:
        conn_id: Airflow's name of the connection.
        closed: set once the connection was closed on purpose.
    """
    try:
        yield
    except psycopg.Error as error:
        if closed.is_set():
            raise SourceError(f"connection {conn_id!r} was closed by its run while {READING}") from None
        raise refused(conn_id, error) from None


def refused(conn_id: str, error: psycopg.Error) -> SourceError:
    """Return the error for a stream that the server refused or ended."""
    said = reason(error)
    if isinstance(error, psycopg.errors.ObjectInUse):
        return SourceError(
            f"end the session that uses the replication slot, or wait for it: connection {conn_id!r} was refused:"
            f" {said}. pg_terminate_backend(active_pid) ends it, see pg_replication_slots; a retry continues"
        )
    if isinstance(error, psycopg.errors.UndefinedObject):
        return lost(conn_id, said)
    if isinstance(error, _NOT_CONVERTED):
        return errors.failed(conn_id, READING, f"{said}.{_UNCONVERTED}")
    return errors.failed(conn_id, READING, said)


def lost(conn_id: str, said: str) -> SourceError:
    """Return the error for a slot whose publication was not there at some place of the log."""
    found = SourceError(
        "drop the slot by `airflow legacy-events slots drop`, and let the stream begin again: connection"
        f" {conn_id!r} can't read the change log on: {said}. The publication was made after the slot, or dropped and"
        " made again; changes between are lost, deletes among them"
    )
    found.retry_helps = False
    return found


def stopping(conn_id: str) -> SourceError:
    """Return the error for a server that shuts down, and waits for this stream to end."""
    return SourceError(f"connection {conn_id!r} leads to a server that is shutting down; a retry continues")


def silent(conn_id: str, seconds: float, *, answers: bool) -> SourceError:
    """Return the error for a server that sends nothing, though its log is longer.

    Args:
        conn_id: Airflow's name of the connection.
        seconds: how long it has sent nothing.
        answers: whether it answers, but holds its log back.
    """
    if answers:
        return SourceError(
            "look at synchronized_standby_slots: a standby named there that is away holds the change log back."
            f" Connection {conn_id!r} answered for {seconds:g} s that it has nothing to send, though its log is longer;"
            " a retry continues"
        )
    return SourceError(
        f"connection {conn_id!r} sent nothing for {seconds:g} s while {READING}, and did not answer. It may be frozen,"
        " or busy with a transaction larger than that: raise statement_timeout= then; a retry continues"
    )
