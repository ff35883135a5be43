"""Connection test, as run by the button in Airflow's user interface."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from airflow_legacy_events.core.about import About
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.ports import Database

if TYPE_CHECKING:
    import sqlalchemy as sa

STATEMENT_SECONDS = 10
DEADLINE_SECONDS = 15.0
_SHORTEST_SECRET = 3
"""Shortest text hidden as a secret; a shorter one would hide more words than secrets."""


def answer(
    conn_id: str, connection: Any, url: sa.URL, database: Database, about: Callable[[Any], About], seconds: float
) -> tuple[bool, str]:
    """Return whether a database answers, with its description or the reason why not; then close it.

    The text holds no secret. Nothing is raised.

    Args:
        conn_id: of the connection. Airflow tests an unsaved one under a generated name, so the text omits the name.
        connection: as Airflow has it.
        url: the URL that it leads to.
        database: the database behind that URL.
        about: queries the database for its description.
        seconds: time limit of the test.
    """
    try:
        return True, str(_ask(database, about, seconds))
    except queue.Empty:
        return False, _SILENT.format(seconds)
    except LegacyEventsError as error:
        return False, unnamed(conn_id, _without(_secrets(connection, url), str(error)))
    except Exception as error:  # noqa: BLE001  of a driver: its text may hold anything
        return False, unexpected(error)


_SILENT = "no answer within {:g} s. Check host and port, and what is in between, such as a firewall"


def unexpected(error: Exception) -> str:
    """Return the text for an error that is not one of ours."""
    return f"the connection can't be tested: {type(error).__name__}. Check its fields and extras"


def unnamed(conn_id: str, text: str) -> str:
    """Return a text without the name of the connection."""
    return text.replace(f"connection {conn_id!r}", "the connection")


def _ask(database: Database, about: Callable[[Any], About], seconds: float) -> About:
    """Query in a thread that is abandoned when it does not answer: some drivers wait forever."""
    answers: queue.SimpleQueue[About | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(about(database))
        except Exception as error:  # noqa: BLE001  raised below, in the waiting thread
            answers.put(error)

    here = contextvars.copy_context()
    threading.Thread(target=lambda: here.run(ask), name="legacy-events-test", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    finally:
        threading.Thread(target=database.close, name="legacy-events-test-close", daemon=True).start()
    if isinstance(found, Exception):
        raise found
    return found


def _secrets(connection: Any, url: sa.URL) -> Collection[str]:
    """Return passwords, and any options that may hold one."""
    options = (one for values in url.normalized_query.values() for one in values)
    return [str(connection.password or ""), str(url.password or ""), *options]


def _without(secrets: Collection[str], text: str) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text
