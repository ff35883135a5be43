"""Sensors of Kafka Connect: wait for a connector's state, or until it has caught up with its source or topics."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from airflow.sdk import Asset, AssetAlias, Context

from airflow_legacy_events.connect.caught_up import CaughtUp
from airflow_legacy_events.connect.nudges import AUTO, NEVER
from airflow_legacy_events.connect.state import RUNNING
from airflow_legacy_events.connect.steps import Steps
from airflow_legacy_events.connect.watching import FAIL, StateWatch, Wanted
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.sensors._connect import ConnectorSensor
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.streams.asset_lock import lock_asset
from airflow_legacy_events.streams.connected import using
from airflow_legacy_events.streams.naming import holds_template
from airflow_legacy_events.triggers import _connect
from airflow_legacy_events.triggers.connect import (
    ConnectorCaughtUpTrigger,
    ConnectorStateTrigger,
    caught_up,
    check_state,
)

_log = logging.getLogger(__name__)


class ConnectorStateSensor(ConnectorSensor):
    """Succeeds when a connector and its tasks have been in a state for a while.

    Running takes the connector and at least ``tasks_at_least`` tasks, every one of them RUNNING. It returns
    ``{connector, state, tasks}``. A connector that has lost the login to its database, or whose slot another one reads,
    stays RUNNING: ``source_conn_id`` tells, and ``ConnectorCaughtUpSensor`` proves that it streams. The arguments below
    are its own; see ``ConnectorSensor`` for the others.

    :param state: ``running``, ``paused``, ``stopped`` or ``failed``.
    :param stable_for: time that the state must hold; a failure counts at once.
    :param tasks_at_least: number of tasks that ``running`` takes.
    :param source_conn_id: connection of the connector's PostgreSQL database. ``running`` then counts only while the
        connector's slot is active; another connector that names the slot is an error, and a slot past the connector's
        offset is a warning. (templated)
    :param on_failed: what to do when the connector or a task is FAILED: ``fail`` with the cause, or ``wait``.
    """

    def __init__(
        self,
        *,
        state: str = RUNNING,
        stable_for: dt.timedelta = dt.timedelta(seconds=30),
        tasks_at_least: int = 1,
        on_failed: str = FAIL,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.state = state
        self.stable_for = stable_for
        self.tasks_at_least = tasks_at_least
        self.on_failed = on_failed
        self._watch: StateWatch | None = None
        check_state([state], stable_for, tasks_at_least, on_failed)
        if self.reschedule and stable_for:
            raise ConfigurationError(
                "mode='reschedule' forgets since when a state holds: give deferrable=True instead, or"
                " stable_for=timedelta(0)"
            )

    def _begin(self) -> None:
        self._watch = self._made()

    def _made(self) -> StateWatch:
        wanted = Wanted(
            connector=self.connector,
            states=[self.state],
            stable_for=self.stable_for.total_seconds(),
            tasks_at_least=self.tasks_at_least,
            on_failed=self.on_failed,
            source_conn_id=self.source_conn_id,
        )
        return StateWatch(wanted, None if self.source_conn_id is None else using(self.source_conn_id), _log)

    @property
    def _watching(self) -> StateWatch:
        if self._watch is None:
            self._watch = self._made()
        return self._watch

    def _steps(self) -> Steps[dict[str, Any] | None]:
        return self._watching.look(time.monotonic())

    def _reason(self) -> str:
        return self._watching.reason

    def _soon(self) -> float | None:
        return self._watching.pause

    def _trigger(self, until: float) -> ConnectorStateTrigger:
        return ConnectorStateTrigger(
            connector=self.connector,
            connect_conn_id=self.connect_conn_id,
            state=self.state,
            stable_for=self.stable_for,
            tasks_at_least=self.tasks_at_least,
            source_conn_id=self.source_conn_id,
            on_failed=self.on_failed,
            poll_interval=self.poll_interval,
            until=until,
        )


class ConnectorCaughtUpSensor(ConnectorSensor):
    """Succeeds when all that was committed before it began has gone through a connector.

    For a source, what was committed in its database is in Kafka: Debezium's connectors for PostgreSQL, MariaDB and
    MySQL, which take ``source_conn_id``. For a sink, what was on its topics is taken in: any sink, which takes
    ``broker_conn_id``. First the target is taken, the end of the database's log or of the topics. Then the log of a
    source is nudged, since an offset never reaches the end of a quiet one. Then the sensor waits until the connector's
    offset is past the target: 1 to 2 s on a worker that supports exactly-once sources, else up to its
    ``offset.flush.interval.ms``. A connector that is not RUNNING has not caught up; one that is FAILED fails the
    sensor.

    It returns ``{connector, target, reached, seconds}``, for a sink with a dead letter topic also ``dead_letters``, the
    number of messages that came to it meanwhile. DAGs that wait for ``AssetAlias("legacy-events:<connector>")`` run
    then; the extra of the event is ``{target, reached}``. The arguments below are its own; see ``ConnectorSensor`` for
    the others.

    :param source_conn_id: connection of the database that a source reads: the same server, and for PostgreSQL the same
        database. (templated)
    :param broker_conn_id: connection of the Kafka cluster that a sink reads. (templated)
    :param nudge: ``auto`` writes a logical message with the prefix ``legacy-events`` to PostgreSQL, else a row of type
        ``log`` into the connector's signal table. The message lands on ``<topic.prefix>.message`` of every Debezium
        connector of that database. ``never`` waits for traffic.
    :param allow_loss: accept a connector that drops records which fail, such as with ``errors.tolerance=all``; its
        offset passes them.
    :param poll_interval: longest time between two looks.
    """

    template_fields: Collection[str] = (*ConnectorSensor.template_fields, "broker_conn_id")

    def __init__(
        self,
        *,
        broker_conn_id: str | None = None,
        nudge: str = AUTO,
        allow_loss: bool = False,
        poll_interval: dt.timedelta = dt.timedelta(seconds=5),
        **kwargs: Any,
    ) -> None:
        super().__init__(poll_interval=poll_interval, **kwargs)
        self.broker_conn_id = broker_conn_id
        self.nudge = nudge
        self.allow_loss = allow_loss
        self._barrier: CaughtUp | None = None
        self._looks = 0
        if not holds_template(self.connector):
            self.outlets = [*self.outlets, _alias(self.connector)]
        arguments.choice("nudge", nudge, (AUTO, NEVER))
        if self.reschedule:
            raise ConfigurationError(
                "mode='reschedule' forgets what was committed when the task began: give deferrable=True instead"
            )
        if (self.source_conn_id is None) == (broker_conn_id is None):
            found = "neither" if broker_conn_id is None else "both"
            raise ConfigurationError(
                "exactly one of source_conn_id= and broker_conn_id= must be given, the former for a source connector,"
                f" the latter for a sink; found {found}"
            )

    def _begin(self) -> None:
        self._barrier, self._looks = self._made(), 0

    def _made(self) -> CaughtUp:
        ways = (self.source_conn_id, self.broker_conn_id, self.nudge)
        return caught_up(self.connector, *ways, allow_loss=self.allow_loss)

    @property
    def _caught_up(self) -> CaughtUp:
        if self._barrier is None:
            self._barrier = self._made()
        return self._barrier

    def _steps(self) -> Steps[dict[str, Any] | None]:
        self._looks += 1
        return self._caught_up.look()

    def _reason(self) -> str:
        return self._caught_up.reason

    def _soon(self) -> float | None:
        return _connect.soon(self._looks - 1, self.poll_interval.total_seconds())

    def _trigger(self, until: float) -> ConnectorCaughtUpTrigger:
        target = self._caught_up.target
        return ConnectorCaughtUpTrigger(
            connector=self.connector,
            connect_conn_id=self.connect_conn_id,
            source_conn_id=self.source_conn_id,
            broker_conn_id=self.broker_conn_id,
            nudge=self.nudge,
            allow_loss=self.allow_loss,
            poll_interval=self.poll_interval,
            target=None if target is None else target.to_text(),
            until=until,
        )

    def _finish(self, context: Context, report: dict[str, Any]) -> dict[str, Any]:
        super()._finish(context, report)
        if "outlet_events" in context:
            asset = Asset(f"x-legacy-events://connect/{quote(self.connector, safe='')}")
            lock_asset(asset.uri)
            extra = {name: report[name] for name in ("target", "reached")}
            alias = _alias(self.connector)
            if alias not in self.outlets:  # its name is known only now; Airflow adds no event without an outlet
                self.outlets = [*self.outlets, alias]
            context["outlet_events"][alias].add(asset, extra=extra)
        return report


def _alias(connector: str) -> AssetAlias:
    return AssetAlias(f"legacy-events:{connector}")
