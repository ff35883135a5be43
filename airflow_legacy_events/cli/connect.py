"""`airflow legacy-events connect status|diff`."""

from __future__ import annotations

import datetime as dt
import json
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from airflow_legacy_events.cli._command import command, say, say_json, show
from airflow_legacy_events.cli._rendering import each_rendered, task_ids
from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.diff import lines_of
from airflow_legacy_events.connect.plan import UNCHANGED, Declares
from airflow_legacy_events.connect.secrets import secrets_of
from airflow_legacy_events.connect.state import failure_text
from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.core.printable import printable_lines
from airflow_legacy_events.hooks.connect import KafkaConnectHook

_TIMEOUT = dt.timedelta(seconds=30)
_MISSING = "missing"


@command
def connect_status(args: Namespace) -> None:
    """Print the state of each connector that a DAG declares; exit code 1 if one is missing or FAILED."""
    lines = [_state(one) for one in _upserts(args)]
    if args.output == "json":
        say_json(json.dumps(lines, ensure_ascii=False))
    else:
        show(lines, args.output)
    if any(one["state"] in (_MISSING, "failed") for one in lines):
        raise SystemExit(printable_lines("a connector is missing or FAILED"))


@command
def connect_diff(args: Namespace) -> None:
    """Print the difference of each connector from its declaration; exit code 1 if there is one. Nothing is changed."""
    lines = [_difference(one) for one in _upserts(args)]
    if args.output in ("json", "yaml"):
        say_json(json.dumps(lines, ensure_ascii=False)) if args.output == "json" else show(lines, args.output)
    else:
        for one in lines:
            say(_shown(one))
    if any(one["action"] != UNCHANGED for one in lines):
        raise SystemExit(printable_lines("a connector differs from its declaration"))


def _upserts(args: Namespace) -> Iterator[Declares]:
    """Yield the DAG's upserts, their templates filled."""
    found = task_ids(args, Declares)
    if not found:
        raise ConfigurationError(f"DAG {args.dag_id!r} declares no connector: it has no ConnectorUpsertOperator")
    for task_id in found:
        yield from each_rendered(args, task_id)


def _state(operator: Declares) -> dict[str, Any]:
    with KafkaConnectHook(operator.connect_conn_id).get_client(_TIMEOUT) as client:
        status = client.send(calls.status(operator.connector))
        config = client.send(calls.config(operator.connector)) or {}
    if status is None:
        return {"connector": operator.connector, "state": _MISSING, "tasks": 0, "failure": None}
    failure = failure_text(status.failed, secrets_of(config)) if status.failed else None
    state = "failed" if status.failed else status.connector.state.lower()
    return {"connector": operator.connector, "state": state, "tasks": len(status.tasks), "failure": failure}


def _difference(operator: Declares) -> dict[str, Any]:
    """Return what the task would do; a config that can't be applied is a difference too."""
    try:
        with KafkaConnectHook(operator.connect_conn_id).get_client(_TIMEOUT) as client:
            plan = operator.plan(client)
    except ConfigurationError as error:
        return {"connector": operator.connector, "action": "refused", "diff": {}, "error": str(error)}
    except LegacyEventsError as error:
        raise type(error)(f"task {operator.task_id!r}: {error}") from None
    return {"connector": operator.connector, "action": plan.action, "diff": plan.diff, "error": None}


def _shown(line: dict[str, Any]) -> str:
    head = f"{line['connector']}: {line['action']}"
    rest = line["error"] or lines_of(line["diff"])
    return f"{head}\n{rest}" if rest else head
