"""Probe: checks a source once for rows that the operator would read."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Pending
from airflow_legacy_events.core.ports import Database, HorizonSource, Source
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.listening import LISTENERS, Wake
from airflow_legacy_events.streams.sessions import SESSIONS
from airflow_legacy_events.streams.specs.base import SourceSpec
from airflow_legacy_events.streams.stores import open_store, store_class
from airflow_legacy_events.triggers._cooldown import claim_event
from airflow_legacy_events.watermarks.registration import StreamRegistration


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Description of what is waited for.

    Attributes:
        spec: the source; its arguments are the operator's, so that both mean the same rows.
        watermark_store: the operator's, by name.
        cooldown: time after which the same rows are reported again.
        waiter: who waits; each has its own cooldown. None: all waiters without a name share one.
        topic: the operator's, if it is part of the stream's name.
        channel: of notifications about new rows; None: polling only.
    """

    spec: SourceSpec
    watermark_store: str | None
    cooldown: dt.timedelta
    waiter: str | None
    topic: str | None = None
    channel: str | None = None

    def check(self, *, rendered: bool) -> None:
        """Check the arguments, as far as they are known.

        Raises:
            ConfigurationError: one is wrong.
        """
        self.spec.check(rendered=rendered)
        if self.spec.stream_name(self.topic) is None:
            raise ConfigurationError(
                "stream= is missing: with table= and topic= it follows from them, with sql= it is the operator's"
                " '<source_conn_id>.<dag_id>.<task_id>@<topic>', or what its stream= says"
            )
        if self.channel is not None and (not isinstance(self.channel, str) or not self.channel):
            raise ConfigurationError(
                f"channel= must be the name of a channel, such as 'outbox'; found {self.channel!r}"
            )
        arguments.span("cooldown", self.cooldown, zero=True)
        self.spec.check_wait()
        refuse_store(self.watermark_store)
        if rendered:
            arguments.refuse_templates(topic=self.topic, channel=self.channel)

    @property
    def stream(self) -> str:
        """Name of the stream whose watermark is read."""
        return str(self.spec.stream_name(self.topic))


def refuse_store(name: Any) -> None:
    """Check that a triggerer can read the store.

    Raises:
        ConfigurationError: it can't; the message names one that can be read.
    """
    if name is not None and not isinstance(name, str):
        raise ConfigurationError(
            f"watermark_store= is a {type(name).__name__}, but a triggerer can't receive an object: it reads stores by"
            " name, such as 'variable' or 'table:<conn_id>'. Keep the stream there, or start the operator by a schedule"
        )
    store = store_class(name)
    if store.scope == "task":
        raise ConfigurationError(
            f"watermark_store={name!r} can't be read by a triggerer: {store.task_reason}. Keep the stream in 'variable'"
            " or 'table:<conn_id>' (on operator and sensor alike), or start the operator by a schedule"
        )


class Probe:
    """Checks the source repeatedly through one session, and caches what it learned about it; blocks during a check.

    Args:
        watch: what is waited for, rendered.
        log: of the task or the triggerer.

    Attributes:
        wake: called from any thread when notifications arrive; None: they are not listened for.
        held_back: how long the last result must not be reported again; zero if there was none.
        waits: whether the last look found rows that only a later one may report.
    """

    def __init__(self, watch: Watch, log: logging.Logger) -> None:
        self.watch, self._log = watch, log
        self.wake: Wake | None = None
        self.held_back = dt.timedelta(0)
        self.waits = False
        self._unsubscribe: Callable[[], None] | None = None
        self._database: Database | None = None
        self._source: Source | None = None
        self._registration: StreamRegistration | None = None
        self._turn = threading.Lock()
        self._ended = False

    def look(self) -> dict[str, Any] | None:
        """Return `{stream, rows, bound}` when there is something new to report, else None.

        `rows` is counted up to a thousand. `bound` is the position up to which the operator would read, as the
        watermark's texts.

        Raises:
            LegacyEventsError: the source or the store failed; the next check starts afresh.
        """
        with self._turn:
            self.held_back = dt.timedelta(0)
            if self._ended:
                return None
            try:
                return self._news()
            except Exception:
                self.waits = False
                self._let_go(failed=True)
                raise

    def end(self) -> None:
        """Release the session permanently, once a running check has ended."""
        with self._turn:
            self._ended = True
            self._let_go()
            if self._unsubscribe is not None:
                self._unsubscribe()

    def _news(self) -> dict[str, Any] | None:
        watch, pending = self.watch, self._pending()
        self.waits = isinstance(self._source, HorizonSource) and self._source.waits
        if pending.target is None:
            return None
        self.held_back = claim_event(watch.stream, watch.waiter, pending.target, watch.cooldown)
        if self.held_back:
            return None
        return {"stream": watch.stream, "rows": pending.rows, "bound": list(pending.target)}

    def _let_go(self, *, failed: bool = False) -> None:
        database, self._database, self._source, self._registration = self._database, None, None, None
        if database is not None:
            SESSIONS.release(database, failed=failed)

    def _pending(self) -> Pending:
        spec = self.watch.spec
        if self._database is None:
            self._database = SESSIONS.acquire(spec.conn_id, spec.statement_timeout, spec.row_security)
            self._subscribe(self._database)
        if self._source is None:
            stream = spec.stream(self.watch.topic or "", "", "")._replace(name=self.watch.stream)
            self._source = spec.source(self._database, stream=stream, limits=Limits(), log=self._log)
        if self._registration is None:
            store = open_store(self.watch.watermark_store)
            # The operator is not known here.
            self._registration = StreamRegistration(self.watch.stream, store, name=store.name, reads_only=True)
        return self._source.pending(self._registration.load())

    def _subscribe(self, database: Database) -> None:
        """Subscribe to notifications before the first check, so that none is missed in between."""
        channel = self.watch.channel
        if channel is None:
            return
        database.listen(channel)  # refused at the first check, even if there is nothing to wake
        if self.wake is not None:
            conn_id, before = self.watch.spec.conn_id, self._unsubscribe
            self._unsubscribe = LISTENERS.subscribe(conn_id, database, channel, self.wake)
            if before is not None:
                before()
