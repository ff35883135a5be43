"""Stream lock, held by a person instead of a run."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from airflow_legacy_events.core.errors import BusyError, ConfigurationError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.hooks.database import LegacyDatabaseHook


class Signature(NamedTuple):
    """Signature of the person who moves a watermark; stored with it, and shown to runs that find the lock taken.

    Attributes:
        person: name of the user.
        at: the time, ISO 8601 in UTC.
        place: where the person works, in place of a DAG's id, such as `(command line)`.
    """

    person: str
    at: str
    place: str

    def under(self, mark: Watermark) -> Watermark:
        """Return `mark` with the person and the time of the move."""
        return mark._replace(facts={**mark.facts, "person": self.person, "set_at": self.at})


def source_of(stream: str, mark: Watermark | None, conn_id: str | None) -> str:
    """Return the connection of a stream's source.

    Args:
        stream: for the error.
        mark: its watermark, as far as it can be read.
        conn_id: given by the person; takes precedence over the watermark's.

    Raises:
        ConfigurationError: neither names one.
    """
    source = conn_id or (None if mark is None else mark.facts.get("source"))
    if not source:
        raise ConfigurationError(
            f"no readable watermark of stream {stream!r} names the connection of its source, whose lock is needed. Name"
            " it with --source-conn-id CONN_ID"
        )
    return str(source)


@contextmanager
def locked(stream: str, source: str, verb: str, signature: Signature, mark: Watermark | None) -> Iterator[Database]:
    """Hold the stream's lock; the context is the source's database.

    Args:
        stream: whose lock is taken.
        source: connection of its source.
        verb: what the person does, for runs that find the lock taken.
        signature: of the person.
        mark: the stream's watermark, as far as it can be read; shows whether the lock is a table's.

    Raises:
        ConfigurationError: a run works on the stream.
    """
    table = None if mark is None else mark.facts.get("lock")
    database = LegacyDatabaseHook(source).get_database()
    try:
        with database.lock(stream, _holder(verb, signature), table=table):
            yield database
    except BusyError as busy:
        raise ConfigurationError(
            f"{busy}. Its watermark was left as it is; wait until that run has ended, or end it"
        ) from busy
    finally:
        database.close()


def _holder(verb: str, signature: Signature) -> dict[str, Any]:
    return {
        "dag": signature.place,
        "task": f"watermark {verb}",
        "run": f"by {signature.person} at {signature.at}",
        "map_index": -1,
        "try": 1,
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }
