"""The test of a connection, as the button in Airflow's user interface asks for it."""

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
"""Less than that hides more words than secrets."""


def answer(
    conn_id: str, connection: Any, url: sa.URL, database: Database, about: Callable[[Any], About], seconds: float
) -> tuple[bool, str]:
    """Return whether a database answers, and what it says of itself, or why it doesn't; it is closed.

    No secret is in the text. Nothing is raised.

    Args:
        conn_id: of the connection. Airflow tests one that is not saved under a name that nobody knows, so the text
            does not name it.
        connection: as Airflow has it.
        url: that it leads to.
        database: behind that.
        about: asks it.
        seconds: after which there was no answer.
    """
    try:
        return True, str(_ask(database, about, seconds))
    except queue.Empty:
        return False, _SILENT.format(seconds)
    except LegacyEventsError as error:
        return False, unnamed(conn_id, _without(_secrets(connection, url), str(error)))
    except Exception as error:  # noqa: BLE001  of a driver: its text may hold anything
        return False, unexpected(error)


_SILENT = "no answer within {:g} s. Look at host and port, and at what lies between, such as a firewall"


def unexpected(error: Exception) -> str:
    """Return what is said of an error that is none of ours."""
    return f"the connection can't be tested: {type(error).__name__}. Look at its fields and extras"


def unnamed(conn_id: str, text: str) -> str:
    """Return a text that does not name the connection."""
    return text.replace(f"connection {conn_id!r}", "the connection")


def _ask(database: Database, about: Callable[[Any], About], seconds: float) -> About:
    """Ask in a thread that is left behind when it does not answer: some drivers wait for ever."""
    answers: queue.SimpleQueue[About | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(about(database))
        except Exception as error:  # noqa: BLE001  raised below, by who waits
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
    """Passwords, and what may be one among the options."""
    options = (one for values in url.normalized_query.values() for one in values)
    return [str(connection.password or ""), str(url.password or ""), *options]


def _without(secrets: Collection[str], text: str) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text
