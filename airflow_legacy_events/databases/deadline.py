"""Deadlines: a statement timeout for databases without one, and an end to waits that never get an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from airflow_legacy_events.databases import errors, watchdog
from airflow_legacy_events.databases.watchdog import WATCHDOG, Watch


@contextmanager
def deadline(
    seconds: float, interrupt: Callable[[], None], afterwards: Callable[[], None] = lambda: None
) -> Iterator[Watch]:
    """Interrupt a context if it lasts longer than `seconds`; yield its watch.

    Args:
        seconds: maximum duration of the context.
        interrupt: called from another thread once they have passed, and again until the context ends.
        afterwards: called at the end of an interrupted context.
    """
    watch = WATCHDOG.watching(seconds, interrupt)
    try:
        with watch:
            yield watch
    finally:
        if watch.over:
            afterwards()


@contextmanager
def answering(conn_id: str, doing: str, timeout_seconds: float, cut: Callable[[], None]) -> Iterator[None]:
    """Cut a session that does not answer within its statement timeout plus a grace period; costs a few microseconds.

    Args:
        conn_id: Airflow's name of the connection.
        doing: what the context waits for, such as "reading".
        timeout_seconds: statement timeout, by which a healthy server has ended the statement.
        cut: makes the wait fail from another thread, such as by shutting down the socket; called until it does.

    Raises:
        SourceError: the context failed after it was cut.
    """
    seconds = timeout_seconds + watchdog.GRACE_SECONDS
    watch = WATCHDOG.watching(seconds, cut)
    try:
        with watch:
            yield
    except Exception:
        if watch.over:
            raise errors.silent(conn_id, doing, seconds) from None
        raise
