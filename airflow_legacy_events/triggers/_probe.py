"""One look at a source: is there something that the operator would read?"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Pending
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.hooks import arguments
from airflow_legacy_events.hooks.naming import holds_template, make_stream
from airflow_legacy_events.hooks.sessions import SESSIONS
from airflow_legacy_events.streams.stores import open_store, store_class
from airflow_legacy_events.triggers._cooldown import claim_event
from airflow_legacy_events.watermarks.registration import StreamRegistration


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is waited for; the same words as the operator's, so that both mean the same rows."""

    source_conn_id: str
    table: str | None
    sql: str | None
    watermark_columns: Any
    key_columns: Any
    topic: str | None
    stream: str | None
    watermark_store: str | None
    lag: dt.timedelta
    source_timezone: str
    statement_timeout: dt.timedelta
    cooldown: dt.timedelta
    waiter: str | None

    def check(self, *, rendered: bool) -> None:
        """Return when the arguments can be meant.

        Raises:
            ConfigurationError: they can't.
        """
        arguments.one_of(("table", "sql"), (self.table, self.sql))
        if self.stream is None and (self.topic is None or self.table is None):
            raise ConfigurationError(
                "stream= is missing: with table= and topic= it follows from them, with sql= it is the operator's"
                " '<source_conn_id>.<dag_id>.<task_id>@<topic>', or what its stream= says"
            )
        arguments.span("lag", self.lag, zero=True)
        arguments.span("cooldown", self.cooldown, zero=True)
        arguments.span("statement_timeout", self.statement_timeout, zero=False)
        arguments.no_bare_text(watermark_columns=self.watermark_columns, key_columns=self.key_columns)
        if not holds_template(self.source_timezone):
            arguments.timezone("source_timezone", self.source_timezone)
        _refuse_bulk(self.watermark_columns)
        refuse_store(self.watermark_store)
        if rendered:
            self._refuse_templates()

    @property
    def stream_name(self) -> str:
        """The stream whose watermark is read."""
        if self.stream is not None:
            return self.stream
        return make_stream(
            conn_id=self.source_conn_id,
            table=self.table,
            topic=str(self.topic),
            dag_id="",
            task_id="",
            name=None,
            source_timezone=self.source_timezone,
        ).name

    def _refuse_templates(self) -> None:
        for name in ("source_conn_id", "table", "sql", "topic", "stream", "source_timezone"):
            text = getattr(self, name)
            if text is not None and holds_template(text):
                raise ConfigurationError(
                    f"{name}={text!r} is a template, and nobody renders what a trigger is given: write the value, or"
                    " use PendingEventsSensor"
                )


def refuse_store(name: Any) -> None:
    """Return when a triggerer can read the store.

    Raises:
        ConfigurationError: it can't; the message names one that can be read.
    """
    if name is not None and not isinstance(name, str):
        raise ConfigurationError(
            f"watermark_store= is a {type(name).__name__}, and a triggerer can't be handed an object: it reads"
            " stores by name, such as 'variable' or 'table:<conn_id>'. Keep the stream there, or start the operator by"
            " a schedule"
        )
    kind = store_class(name)
    if kind.scope == "task":
        raise ConfigurationError(
            f"watermark_store={name!r} can't be read by a triggerer: {kind.task_reason}. Keep the stream in 'variable'"
            " or 'table:<conn_id>' (on operator and sensor alike), or start the operator by a schedule"
        )


def _refuse_bulk(watermark_columns: Any) -> None:
    if isinstance(watermark_columns, (list, tuple)) and not watermark_columns:
        raise ConfigurationError(
            "watermark_columns=[] was given: a full load has no watermark, so there is nothing to look for and every"
            " row would always be pending. Name watermark_columns, or start the load by a schedule"
        )


class Probe:
    """Looks again and again, through one session and with what it learnt of the table; blocks while it looks.

    Args:
        asked: what is waited for, rendered.
        log: of the task or the triggerer.
    """

    def __init__(self, asked: Asked, log: logging.Logger) -> None:
        self.asked, self._log = asked, log
        self._database: Database | None = None
        self._source: Any = None
        self._registration: StreamRegistration | None = None
        self._turn = threading.Lock()
        self._ended = False

    def look(self) -> dict[str, Any] | None:
        """Return `{stream, rows, bound}` when there is something new to tell, else None.

        `rows` is counted to a thousand; `bound` is where the operator would read to, as the watermark's texts.

        Raises:
            LegacyEventsError: source or store said no; the next look begins anew.
        """
        with self._turn:
            if self._ended:
                return None
            try:
                return self._news()
            except Exception:
                self._let_go(failed=True)
                raise

    def end(self) -> None:
        """Let go of the session for good, once a look that goes on has ended."""
        with self._turn:
            self._ended = True
            self._let_go()

    def _news(self) -> dict[str, Any] | None:
        asked, pending = self.asked, self._pending()
        stream = asked.stream_name
        if pending.target is None or not claim_event(stream, asked.waiter, pending.target, asked.cooldown):
            return None
        return {"stream": stream, "rows": pending.rows, "bound": list(pending.target)}

    def _let_go(self, *, failed: bool = False) -> None:
        database, self._database, self._source, self._registration = self._database, None, None, None
        if database is not None:
            SESSIONS.release(database, failed=failed)

    def _pending(self) -> Pending:
        if self._database is None:
            self._database = SESSIONS.acquire(self.asked.source_conn_id, self.asked.statement_timeout)
        if self._source is None:
            self._source = self._make_source(self._database)
        if self._registration is None:
            self._registration = self._make_registration()
        pending: Pending = self._source.pending(self._registration.load())
        return pending

    def _make_source(self, database: Database) -> Any:
        from airflow_legacy_events.sources.query import QuerySource  # noqa: PLC0415  loads SQLAlchemy

        asked = self.asked
        watermark_columns = arguments.names("watermark_columns", asked.watermark_columns)
        key_columns = None if asked.key_columns is None else arguments.names("key_columns", asked.key_columns)
        return QuerySource(
            database=database,
            stream=asked.stream_name,
            source=asked.source_conn_id,
            table=asked.table,
            sql=asked.sql,
            watermark_columns=watermark_columns,
            key_columns=key_columns,
            columns=watermark_columns,  # the operator may leave out any other, such as one of a type it can't carry
            lag=asked.lag,
            source_timezone=asked.source_timezone,
            log=self._log,
        )

    def _make_registration(self) -> StreamRegistration:
        store = open_store(self.asked.watermark_store)
        # The operator is not known here.
        return StreamRegistration(self.asked.stream_name, store, name=store.name, reads_only=True)
