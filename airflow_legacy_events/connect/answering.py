"""Waiting for the answer to a signal: what the connector notifies, and whether it still runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from airflow_legacy_events.connect import calls
from airflow_legacy_events.connect.applying import failed_error
from airflow_legacy_events.connect.notifications import (
    ABORTED,
    COMPLETED,
    DONE,
    PAUSED,
    RESUMED,
    Notification,
    is_running,
    progress,
    read,
)
from airflow_legacy_events.connect.secrets import secrets_of
from airflow_legacy_events.connect.signals import EXECUTE, INCREMENTAL, PAUSE, RESUME, STOP
from airflow_legacy_events.connect.state import Status
from airflow_legacy_events.connect.steps import Steps
from airflow_legacy_events.core.errors import ConnectError
from airflow_legacy_events.core.ports import TopicTail

UsingTail: TypeAlias = Callable[[Callable[[TopicTail], Any]], Any]
"""Calls a function with the ends of the broker's topics."""

_STOPPED = "STOPPED"
_NO_RESULT = "NO_NOTIFICATION"


@dataclass(frozen=True)
class Sent:
    """A signal that was sent.

    Attributes:
        connector: name of the connector.
        prefix: its topic prefix, by which its notifications are recognized.
        id: of the signal.
        kind: see `signals.SIGNALS`.
        snapshot: incremental or blocking.
        tables: of it.
        topic: of the notifications.
        begins: offsets of that topic when the signal was sent, by partition.
    """

    connector: str
    prefix: str
    id: str
    kind: str
    snapshot: str
    tables: tuple[str, ...]
    topic: str
    begins: Mapping[int, int] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return it as JSON, for `read_sent`."""
        return json.dumps(asdict(self))


def read_sent(text: str) -> Sent:
    """Return the signal that `Sent.to_text` wrote.

    Raises:
        ValueError: the text is of something else.
    """
    try:
        found = json.loads(text)
        begins = {int(number): int(offset) for number, offset in found.pop("begins").items()}
        return Sent(**{**found, "tables": tuple(found["tables"]), "begins": begins})
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no signal that was sent: {type(error).__name__}") from None


class Answer:
    """Decides, look by look, whether a signal was carried out.

    Args:
        sent: the signal.
        tail: calls a function with the ends of the broker's topics.

    Attributes:
        reason: why the last look did not suffice.
    """

    def __init__(self, sent: Sent, tail: UsingTail) -> None:
        self.sent, self._tail = sent, tail
        self.reason = "the connector has not answered"

    def look(self) -> Steps[dict[str, Any] | None]:
        """Return the report once the signal was carried out, else None.

        Raises:
            ConnectorFailedError: the connector or its task failed meanwhile.
            ConnectError: the snapshot did not read every table.
        """
        sent = self.sent
        status: Status | None = yield calls.status(sent.connector)
        if status is not None and status.failed:
            config = yield calls.config(sent.connector)
            raise failed_error(sent.connector, status.failed, secrets_of(config or {}))
        messages = yield lambda: self._tail(lambda tail: tail.read(sent.topic, sent.begins))
        found = read(messages, sent.prefix, sent.snapshot)
        return self._of_snapshot(found) if sent.kind == EXECUTE else self._of_other(found)

    def _of_snapshot(self, found: list[Notification]) -> dict[str, Any] | None:
        now = progress(found)
        if now.ended is None:
            read_by_now = ", ".join(sorted(now.tables)) or "no table yet"
            self.reason = f"the snapshot {'goes through its tables' if now.started else 'has not begun'}: {read_by_now}"
            return None
        tables = {
            name: {"status": now.tables[name].status, "rows": now.tables[name].rows}
            if name in now.tables
            else {"status": _NO_RESULT, "rows": 0}
            for name in self.sent.tables
        }
        wrong = [f"{name}: {one['status']}" for name, one in tables.items() if one["status"] not in DONE]
        if wrong or now.ended == ABORTED:
            what = "was stopped" if now.ended == ABORTED else "did not read every table"
            raise ConnectError(
                f"the {self.sent.snapshot} snapshot {self.sent.id!r} of connector {self.sent.connector!r} {what}:"
                f" {', '.join(wrong) or 'none of them'}. Correct the cause, which the worker's log has, and send the"
                " signal again",
                retry_helps=False,
            )
        return {"id": self.sent.id, "tables": tables}

    def _of_other(self, found: list[Notification]) -> dict[str, Any] | None:
        ends = {PAUSE: (PAUSED,), RESUME: (RESUMED,), STOP: (ABORTED, COMPLETED)}[self.sent.kind]
        stopped = {one.table for one in found if one.table is not None and one.status == _STOPPED}
        whole = bool(self.sent.tables) and stopped.issuperset(self.sent.tables)
        if any(one.type in ends for one in found) or (self.sent.kind == STOP and whole):
            return {"id": self.sent.id, "tables": {}}
        return None


def snapshot_runs(tail: TopicTail, topic: str, prefix: str, last: int) -> bool:
    """Whether an incremental snapshot of a connector is running, by the last notifications.

    Args:
        tail: of the topic.
        topic: of the notifications.
        prefix: the connector's topic prefix.
        last: how many messages of each partition are looked at.
    """
    return is_running(read(tail.read(topic, tail.ends(topic, last)), prefix, INCREMENTAL))
