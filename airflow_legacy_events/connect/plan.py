"""Plan of an upsert: what would be written, and every reason not to, before anything is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from airflow_legacy_events.connect import calls, checks
from airflow_legacy_events.connect.client import ConnectClient
from airflow_legacy_events.connect.config import CLASS
from airflow_legacy_events.connect.conflicts import conflicts
from airflow_legacy_events.connect.diff import Difference, compare, lines_of, not_snapshotted
from airflow_legacy_events.connect.secrets import is_masked, secrets_of
from airflow_legacy_events.core.errors import ConfigurationError

WARN, FAIL, IGNORE = "warn", "fail", "ignore"
CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


@dataclass(frozen=True)
class Plan:
    """What a declared config means for a cluster.

    Attributes:
        connector: name of the connector.
        declared: its config; it may hold secrets.
        live: the config that it has; None: there is no such connector.
        difference: between the two.
        unknown: keys that nothing knows, with the known ones that they resemble.
        not_snapshotted: tables whose rows of today would not be sent.
        passwords: keys that the plugin declares as passwords.
        warnings: sentences for the log.
    """

    connector: str
    declared: Mapping[str, str]
    live: Mapping[str, str] | None
    difference: Difference
    unknown: Mapping[str, str | None]
    not_snapshotted: list[str]
    passwords: frozenset[str]
    warnings: tuple[str, ...]

    @property
    def action(self) -> str:
        """Return created, updated or unchanged: what a write would have done."""
        if self.live is None:
            return CREATED
        return UPDATED if self.difference.keys else UNCHANGED

    @property
    def diff(self) -> dict[str, dict[str, str | None]]:
        """Return the difference as it may be shown."""
        return self.difference.to_dict(self.passwords)

    @property
    def secrets(self) -> frozenset[str]:
        """Return the values that must not be shown."""
        return secrets_of(self.declared, self.passwords) | secrets_of(self.live or {}, self.passwords)

    def to_dict(self, action: str) -> dict[str, Any]:
        """Return the part of the report that is known before the write."""
        return {
            "connector": self.connector,
            "action": action,
            "diff": self.diff,
            "unknown": dict(self.unknown),
            "not_snapshotted": self.not_snapshotted,
        }


@runtime_checkable
class Declares(Protocol):
    """A task that declares a connector.

    Attributes:
        task_id: of the task.
        connector: name of the connector.
        connect_conn_id: connection of the cluster.
    """

    task_id: str
    connector: str
    connect_conn_id: str

    def plan(self, client: ConnectClient) -> Plan:
        """Return what the task would do; nothing is written."""


def make_plan(
    client: ConnectClient,
    connector: str,
    declared: Mapping[str, str],
    on_unknown_key: str,
    earlier: Sequence[ConfigurationError] = (),
) -> Plan:
    """Check a declared config, and compare it with the connector's.

    Args:
        client: of the cluster.
        connector: name of the connector.
        declared: its config, as `config.read_config` returns it.
        on_unknown_key: warn, fail or ignore.
        earlier: problems that were found elsewhere.

    Raises:
        ConfigurationError: something speaks against it; one error names everything.
        ConnectError: the cluster does not answer.
    """
    installed: list[dict[str, Any]] = client.send(calls.plugins())
    full = checks.with_full_class(declared, installed)
    found, verdict = _verdict(client, connector, declared, installed)
    others = {name: checks.with_full_class(one, installed) for name, one in client.send(calls.configs()).items()}
    found += [
        *earlier,
        *checks.unwritable(full),
        *checks.refusals(verdict, secrets_of(declared, verdict.passwords)),
        *_stars(declared),
        *checks.renamed_keys(full, verdict.known),
        *conflicts(connector, full, others),
    ]
    unknown = checks.unknown_keys(declared, verdict.known) if verdict.known else {}
    if unknown and on_unknown_key == FAIL:
        found.append(ConfigurationError(f"correct or remove what nothing knows: {checks.said_of_unknown(unknown)}"))
    _raise(found, connector)
    live = client.send(calls.config(connector))
    difference = compare(live, declared)
    added = not_snapshotted(None if live is None else checks.with_full_class(live, installed), full)
    plan = Plan(connector, declared, live, difference, unknown, added, verdict.passwords, ())
    return Plan(**{**vars(plan), "warnings": tuple(_warnings(plan, on_unknown_key))})


def drift_error(plan: Plan) -> ConfigurationError:
    """Return the error for a connector that differs from its declaration."""
    if plan.live is None:
        text = f"there is no connector {plan.connector!r}, and on_difference='fail' creates none"
    else:
        text = f"connector {plan.connector!r} differs from its declaration, and on_difference='fail' changes nothing"
    return ConfigurationError(f"{text}:\n{lines_of(plan.diff)}")


def _verdict(
    client: ConnectClient, connector: str, declared: Mapping[str, str], installed: Iterable[Mapping[str, Any]]
) -> tuple[list[ConfigurationError], checks.Verdict]:
    """Return what `validate` says, or an error and an empty verdict where no worker has the plugin."""
    try:
        plugin = checks.plugin_of(declared, installed)
    except ConfigurationError as error:
        return [error], checks.Verdict({}, frozenset(), frozenset())
    named = {**declared, "name": connector, CLASS: plugin}
    body: Mapping[str, Any] = client.send(calls.validate(plugin, named, secrets_of(declared)))
    return [], checks.read_verdict(body)


def _stars(declared: Mapping[str, str]) -> list[ConfigurationError]:
    return [
        ConfigurationError(f"{key!r} is masked: write the value itself, or a placeholder such as ${{env:PASSWORD}}")
        for key, value in declared.items()
        if is_masked(value)
    ]


def _raise(found: Sequence[ConfigurationError], connector: str) -> None:
    if found:
        listed = "".join(f"\n- {error}" for error in found)
        count = f"{len(found)} problems" if len(found) > 1 else "a problem"
        raise ConfigurationError(f"config= of connector {connector!r} has {count}, nothing was written:{listed}")


def _warnings(plan: Plan, on_unknown_key: str) -> list[str]:
    found = [f"connector {plan.connector!r}: {one}" for one in checks.tolerances(plan.declared)]
    if plan.unknown and on_unknown_key == WARN:
        found.append(f"connector {plan.connector!r}: {checks.said_of_unknown(plan.unknown)}")
    if plan.not_snapshotted:
        found.append(
            f"connector {plan.connector!r}: rows that are there today are not sent for"
            f" {', '.join(plan.not_snapshotted)}: send them with DebeziumSignalOperator"
        )
    if plan.difference.masked:
        found.append(
            f"connector {plan.connector!r}: the worker hides {', '.join(plan.difference.masked)}, so that a change of"
            " it is not seen"
        )
    return found
