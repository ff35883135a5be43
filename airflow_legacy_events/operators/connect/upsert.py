"""Upsert operator: a connector is as it is declared, and seen to run so."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from airflow.sdk import Context, conf

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.applying import LOOK_SECONDS, Applying, Look, late, marks_of, other_hand
from airflow_legacy_events.connect.client import ConnectClient, SilentError
from airflow_legacy_events.connect.diff import compare, lines_of
from airflow_legacy_events.connect.plan import CREATED, FAIL, IGNORE, UNCHANGED, WARN, Plan, drift_error, make_plan
from airflow_legacy_events.connect.state import RUNNING, STATES, Status, failure_text
from airflow_legacy_events.core.errors import ConfigurationError, ConnectError, ConnectorFailedError, LegacyEventsError
from airflow_legacy_events.hooks.connect_login import try_login
from airflow_legacy_events.hooks.failures import final
from airflow_legacy_events.operators.connect._declared import DeclaredConfig, hide
from airflow_legacy_events.streams import arguments
from airflow_legacy_events.triggers._applied import ConnectorAppliedTrigger

_log = logging.getLogger(__name__)
_APPLY = "apply"
_WOULD = {"created": "would_create", "updated": "would_update", "unchanged": "unchanged"}


class ConnectorUpsertOperator(DeclaredConfig):
    """Creates a connector, or gives it another config, and waits until its tasks run with it.

    Before anything is written the config is checked: by the plugin itself, for keys that nothing knows, and for what
    another connector of the cluster uses already. One error names everything that was found. If the connector has the
    declared config, nothing is written. Else the task ends once every task of the connector holds the new values and
    all has been RUNNING for ``stable_for``; a connector that is paused or stopped stays so, and takes the config with
    its next start. The task returns ``{connector, action, diff, unknown, not_snapshotted, state, tasks}``. Secrets are
    shown as ``***`` there, in the log, in errors and in the rendered template.

    :param config: the whole config: a mapping, such as a builder of ``airflow_legacy_events.connect`` returns, the name
        of a ``.json`` file, or its text. A value of None means that the key is absent. (templated)
    :param state: state of a connector that is created: ``running``, ``paused`` or ``stopped``.
    :param dry_run: check and compare only; the action is ``would_create``, ``would_update`` or ``unchanged``.
    :param on_difference: ``apply`` the declared config, or ``fail`` with the difference and change nothing.
    :param on_unknown_key: what to do with keys that neither plugin nor worker knows, as they would be ignored:
        ``warn``, ``fail`` or ``ignore``. Keys that Debezium renamed are always an error.
    :param stable_for: time that the connector and all its tasks must have been RUNNING.
    :param deferrable: wait in the triggerer; default is ``[operators] default_deferrable``.
    """

    template_fields: Collection[str] = (*DeclaredConfig.template_fields, "config")
    template_fields_renderers: ClassVar[dict[str, str]] = {"config": "json"}
    file_fields: ClassVar[Mapping[str, str]] = {"config": ".json"}

    def __init__(
        self,
        *,
        config: Mapping[str, Any] | str,
        state: str = RUNNING,
        dry_run: bool = False,
        on_difference: str = _APPLY,
        on_unknown_key: str = WARN,
        stable_for: dt.timedelta = dt.timedelta(seconds=10),
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.state = state
        self._dry_run = dry_run  # Airflow has a method of the other name
        self.on_difference = on_difference
        self.on_unknown_key = on_unknown_key
        self.stable_for = stable_for
        self.deferrable = deferrable
        self._check()

    def _check(self) -> None:
        arguments.choice("state", self.state, STATES)
        arguments.choice("on_difference", self.on_difference, (_APPLY, FAIL))
        arguments.choice("on_unknown_key", self.on_unknown_key, (WARN, FAIL, IGNORE))
        arguments.span("stable_for", self.stable_for, zero=True)
        self._check_config()

    def plan(self, client: ConnectClient) -> Plan:
        """Return what this task would do; nothing is written.

        :param client: of the cluster.
        :raises ConfigurationError: the config can't be applied; the message names every reason.
        """
        declared = self._declared()
        refused, untried = try_login(self._as_written())
        if untried is not None:
            _log.warning("connector %s: %s", self.connector, untried)
        earlier = [] if refused is None else [ConfigurationError(refused)]
        return make_plan(client, self.connector, declared, self.on_unknown_key, earlier)

    def _steer(self, client: ConnectClient, context: Context) -> Any:  # noqa: ARG002  a port of the base
        plan = self.plan(client)
        hide(plan.secrets)
        self._show(plan.passwords)
        for warning in plan.warnings:
            _log.warning("%s", warning)
        if plan.action != UNCHANGED:
            _log.info("connector %s differs from its declaration:\n%s", self.connector, lines_of(plan.diff))
            if self.on_difference == FAIL:
                raise drift_error(plan)
        before = client.send(calls.status(self.connector)) if plan.live is not None else None
        if self._dry_run:
            return self._report(plan.to_dict(_WOULD[plan.action]), before)
        if plan.action != UNCHANGED:
            self._write(client, plan)
        elif before is not None and before.failed:
            _log.warning("connector %s is as declared, but %s", self.connector, _failure(before, plan))
            return self._report(plan.to_dict(UNCHANGED), before)
        return self._seen(client, plan, before)

    def _write(self, client: ConnectClient, plan: Plan) -> None:
        if plan.live is None and self.state != RUNNING:
            client.send(calls.create(self.connector, plan.declared, self.state, plan.secrets))
        else:
            client.send(calls.put_config(self.connector, plan.declared, plan.secrets))
        _log.info("connector %s: its config is written; waiting until its tasks run with it", self.connector)

    def _seen(self, client: ConnectClient, plan: Plan, before: Status | None) -> Any:
        """Wait until the config is what runs, here or in the triggerer."""
        stable = self.stable_for.total_seconds() if plan.action != UNCHANGED else 0.0
        applying = Applying(
            self.connector,
            plan.difference.keys,
            stable,
            before=marks_of(before),
            secrets=plan.secrets,
            passwords=plan.passwords,
            declared=plan.declared,
        )
        report = plan.to_dict(plan.action)
        while not self._done(client, applying):
            if client.deadline.over:
                raise late(self.connector, self.timeout, self.stable_for, applying.status)
            if self.deferrable:
                self._defer(client, applying, report)
            client.deadline.wait(LOOK_SECONDS)
        return self._finish(client, report)

    def _done(self, client: ConnectClient, applying: Applying) -> bool:
        try:
            return applying.done(self._look(client))
        except SilentError:
            if applying.status is None:
                raise
            return False  # what was seen before says more

    def _look(self, client: ConnectClient) -> Look:
        config, status = client.send(calls.config(self.connector)), client.send(calls.status(self.connector))
        return Look(time.monotonic(), status, config, client.send(calls.task_configs(self.connector)))

    def _defer(self, client: ConnectClient, applying: Applying, report: dict[str, Any]) -> None:
        trigger = ConnectorAppliedTrigger(
            connect_conn_id=self.connect_conn_id,
            connector=self.connector,
            changed=[*applying.changed],
            stable_for=applying.stable_for,
            before=[*applying.before],
            passwords=sorted(applying.passwords),
            until=time.time() + client.deadline.remaining,
            report=report,
        )
        self.defer(trigger=trigger, method_name="execute_complete")

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Return the report once the trigger has seen the config run; fail with what it met."""
        try:
            self._show(event["passwords"])
            if event["trace"] is not None:
                raise ConnectorFailedError(event["error"], trace=event["trace"])
            if event["error"] is not None:
                raise ConnectError(event["error"])
            with self._client() as client:
                found = compare(client.send(calls.config(self.connector)), self._declared())
                if found.keys:
                    raise other_hand(self.connector, found, event["passwords"])
                if not event["done"]:
                    raise late(self.connector, self.timeout, self.stable_for, client.send(calls.status(self.connector)))
                return self._finish(client, dict(event["report"]))
        except LegacyEventsError as error:
            raise final(error).with_traceback(None) from error.__cause__

    def _finish(self, client: ConnectClient, report: dict[str, Any]) -> dict[str, Any]:
        status = client.send(calls.status(self.connector))
        if report["action"] == CREATED and status is not None and self._was_not_begun_so(status):
            raise ConnectError(
                f"connector {self.connector!r} was created, but is not {self.state}: state= of a new connector needs"
                f" Kafka Connect 3.7 or later, and that no other hand changes it. Now: {status}"
            )
        _log.info("connector %s: %s, %s", self.connector, report["action"], status)
        return self._report(report, status)

    def _was_not_begun_so(self, status: Status) -> bool:
        """Whether a new connector runs that should rest: before 3.7 a worker ignores the state of a new one."""
        return self.state != RUNNING and status.connector.state == RUNNING.upper()

    def _report(self, report: dict[str, Any], status: Status | None) -> dict[str, Any]:
        if status is None:
            return {**report, "state": None, "tasks": 0}
        state = "failed" if status.failed else status.connector.state.lower()
        return {**report, "state": state, "tasks": len(status.tasks)}


def _failure(status: Status, plan: Plan) -> str:
    return failure_text(status.failed, plan.secrets)
