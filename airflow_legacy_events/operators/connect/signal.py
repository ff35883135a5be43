"""Signal operator: sends a signal to a Debezium connector, and waits until it was carried out."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from typing import Any, ClassVar

from airflow.sdk import Context, conf

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.answering import Answer, Sent, snapshot_runs
from airflow_legacy_events.connect.applying import failed_error
from airflow_legacy_events.connect.client import ConnectClient
from airflow_legacy_events.connect.config import CLASS, is_debezium_source
from airflow_legacy_events.connect.conflicts import slot_of
from airflow_legacy_events.connect.names import spelled
from airflow_legacy_events.connect.secrets import secrets_of
from airflow_legacy_events.connect.signals import (
    CHANNELS,
    EXECUTE,
    INCREMENTAL,
    SIGNALS,
    SNAPSHOTS,
    SOURCE,
    Signal,
    Way,
    check_captured,
    check_signal,
    find_way,
    kafka_message,
    tables_of,
)
from airflow_legacy_events.connect.source_database import products_of, refuse_other
from airflow_legacy_events.connect.state import RUNNING
from airflow_legacy_events.connect.steps import run
from airflow_legacy_events.connect.watching import missing
from airflow_legacy_events.core.errors import ConfigurationError, ConnectError, ConnectorFailedError, LegacyEventsError
from airflow_legacy_events.core.model import Messages
from airflow_legacy_events.hooks.broker import EventBrokerHook
from airflow_legacy_events.hooks.failures import final
from airflow_legacy_events.operators.connect._base import ConnectorOperator
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.connected import connected
from airflow_legacy_events.streams.tails import using_tail
from airflow_legacy_events.triggers._signal import DebeziumSignalTrigger

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5
_LAST = 20_000
"""Notifications that are looked through for a snapshot that runs already."""


class DebeziumSignalOperator(ConnectorOperator):
    """Sends a signal to a Debezium connector, and waits until it was carried out.

    What the signal needs is taken from the connector's own config, and checked before anything is written: its channel,
    signal table and notification topic, and that it captures the tables. One snapshot runs at a time: another one that
    is running is waited for. A snapshot is a success only if every table was read; the task returns ``{id, tables:
    {table: {status, rows}}}``.

    :param signal: ``execute-snapshot``, ``stop-snapshot``, ``pause-snapshot`` or ``resume-snapshot``.
    :param tables: that the signal is about, as Debezium names them, such as ``public.orders``. (templated)
    :param snapshot: ``incremental``, beside the changes, or ``blocking``, which stops them meanwhile.
    :param conditions: SQL by table, for the rows that are read: ``{"public.orders": "id > 1000"}``. (templated)
    :param channel: ``source``, the signal table, or ``kafka``; default is the first one that the connector has.
    :param source_conn_id: connection of the connector's database, which the signal table is written through.
        (templated)
    :param broker_conn_id: connection of the Kafka cluster that holds notifications, and signals of channel ``kafka``.
        (templated)
    :param wait: wait until the signal was carried out; else the task ends once it is sent.
    :param deferrable: wait in the triggerer; default is ``[operators] default_deferrable``.
    """

    template_fields: Collection[str] = (
        *ConnectorOperator.template_fields,
        "tables",
        "conditions",
        "source_conn_id",
        "broker_conn_id",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"conditions": "json"}

    def __init__(  # noqa: PLR0913  the public signature
        self,
        *,
        signal: str = EXECUTE,
        tables: Sequence[str] | None = None,
        snapshot: str = INCREMENTAL,
        conditions: Mapping[str, str] | None = None,
        channel: str | None = None,
        source_conn_id: str | None = None,
        broker_conn_id: str = "kafka_default",
        wait: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.signal, self.tables, self.snapshot, self.conditions = signal, tables, snapshot, conditions
        self.channel, self.source_conn_id, self.broker_conn_id = channel, source_conn_id, broker_conn_id
        self.wait, self.deferrable = wait, deferrable
        arguments.choice("signal", signal, SIGNALS)
        arguments.choice("snapshot", snapshot, SNAPSHOTS)
        if channel is not None:
            arguments.choice("channel", channel, CHANNELS)
        if tables is None or not isinstance(tables, str):
            check_signal(self._signal())

    def _signal(self) -> Signal:
        conditions = {str(table): str(sql) for table, sql in (self.conditions or {}).items()}
        return Signal(self.signal, self.snapshot, tables_of(self.tables), conditions)

    def _steer(self, client: ConnectClient, context: Context) -> Any:  # noqa: ARG002  a port of the base
        signal = self._signal()
        check_signal(signal)
        config = self._config(client)
        way = find_way(self.connector, config, self.channel, answered=self.wait)
        check_captured(self.connector, config, signal, way)
        if way.channel == SOURCE and self.source_conn_id is None:
            raise ConfigurationError(
                f"source_conn_id= is missing: connector {self.connector!r} takes signals from its table {way.place!r},"
                " which is written through it"
            )
        if way.channel == SOURCE:
            self._check_published(config, way)
        if signal.kind == EXECUTE and way.notifications is not None:
            self._wait_for_others(client, config, way.notifications)
        sent = self._send(config, signal, way)
        if not self.wait:
            return {"id": sent.id, "tables": {}}
        return self._answered(client, sent)

    def _config(self, client: ConnectClient) -> dict[str, str]:
        """Return the config of the connector, which must be able to take a signal.

        Raises:
            ConfigurationError: there is none, or it is no Debezium source.
            ConnectError: it does not run; it would carry out the signal some time later.
        """
        config, status = client.send(calls.config(self.connector)), client.send(calls.status(self.connector))
        if config is None:
            raise missing(self.connector, client.send(calls.names()))
        if not is_debezium_source(config):
            raise ConfigurationError(f"connector {self.connector!r} is no Debezium source: it takes no signals")
        if status is not None and status.failed:
            raise failed_error(self.connector, status.failed, secrets_of(config))
        if status is None or not status.holds(RUNNING):
            raise ConnectError(
                f"connector {self.connector!r} must be RUNNING to take a signal: start it with"
                f" ConnectorStateOperator. It is {status}"
            )
        return config

    def _check_published(self, config: Mapping[str, str], way: Way) -> None:
        """Check that the publication of a connector for PostgreSQL has its signal table."""
        if slot_of(config) is None:
            return
        publication = config.get("publication.name", "dbz_publication")
        with connected(str(self.source_conn_id)) as database:
            there = database.published(publication, way.place)
        if there is False:
            raise ConfigurationError(
                f"signal table {way.place!r} is in no publication of connector {self.connector!r}, so a signal in it is"
                f" not seen: run the statement below\nALTER PUBLICATION {spelled(publication)} ADD TABLE"
                f" {spelled(*way.place.split('.', 1))}"
            )

    def _wait_for_others(self, client: ConnectClient, config: Mapping[str, str], topic: str) -> None:
        """Wait for a snapshot that is running: signals that overlap are merged under one id."""
        use, prefix = using_tail(self.broker_conn_id, _log), config.get("topic.prefix", "")
        waits = False
        while use(lambda tail: snapshot_runs(tail, topic, prefix, _LAST)):
            if client.deadline.over:
                raise ConnectError(
                    f"connector {self.connector!r} is still busy with another snapshot after {self.timeout}: wait for"
                    " its end, stop it with signal='stop-snapshot', or raise timeout="
                )
            if not waits:
                _log.info("connector %s: waiting for a snapshot that is running", self.connector)
                waits = True
            client.deadline.wait(_LOOK_SECONDS)

    def _send(self, config: Mapping[str, str], signal: Signal, way: Way) -> Sent:
        id_ = f"legacy-events-{uuid.uuid4().hex[:20]}"
        topic = way.notifications or ""
        begins = using_tail(self.broker_conn_id, _log)(lambda tail: tail.ends(topic)) if topic else {}
        sent = Sent(
            self.connector,
            config.get("topic.prefix", ""),
            id_,
            signal.kind,
            signal.snapshot,
            signal.tables,
            topic,
            begins,
        )
        if way.channel == SOURCE:
            with connected(str(self.source_conn_id)) as database:
                if products_of(config) is not None:
                    refuse_other(self.connector, config, str(self.source_conn_id), database)
                database.signal(way.place, id_, signal.kind, json.dumps(signal.data(config.get(CLASS, ""))))
        else:
            self._publish(way.place, *kafka_message(config, id_, signal))
        _log.info("connector %s: signal %s was sent, %s", self.connector, id_, signal.kind)
        return sent

    def _publish(self, topic: str, key: str, value: str) -> None:
        with closing(EventBrokerHook(self.broker_conn_id).get_broker(topics=[topic], log=_log)) as broker:
            broker.open()
            broker.publish(Messages(topic, [key], [value]))
            broker.confirm()

    def _answered(self, client: ConnectClient, sent: Sent) -> Any:
        answer = Answer(sent, using_tail(self.broker_conn_id, _log))
        while (report := run(answer.look(), client)) is None:
            if client.deadline.over:
                raise self._late(answer.reason)
            if self.deferrable:
                trigger = DebeziumSignalTrigger(
                    connect_conn_id=self.connect_conn_id,
                    broker_conn_id=self.broker_conn_id,
                    sent=sent.to_text(),
                    until=time.time() + client.deadline.remaining,
                )
                self.defer(trigger=trigger, method_name="execute_complete")
            client.deadline.wait(_LOOK_SECONDS)
        return self._done(report)

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Return the report of a deferred task, or fail with what its trigger met."""
        try:
            if event.get("kind") == "timeout":
                raise self._late(event["error"])
            if event.get("trace") is not None:
                raise ConnectorFailedError(event["error"], trace=event["trace"])
            if event.get("error") is not None:
                raise ConnectError(event["error"], retry_helps=False)
            return self._done({name: event[name] for name in ("id", "tables")})
        except LegacyEventsError as error:
            raise final(error).with_traceback(None) from error.__cause__

    def _done(self, report: dict[str, Any]) -> dict[str, Any]:
        _log.info("connector %s: %s was carried out: %s", self.connector, self.signal, report["tables"])
        return report

    def _late(self, reason: str) -> ConnectError:
        return ConnectError(
            f"connector {self.connector!r} did not carry out {self.signal!r} within {self.timeout}: look at the logs of"
            f" the workers, or raise timeout=. {reason}"
        )
