"""State of a connector and its tasks, as `GET /connectors/<name>/status` gives it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.connect.answers import without
from airflow_legacy_events.core.printable import printable

RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"
STATES = (RUNNING, PAUSED, STOPPED)
"""States that can be requested; Kafka Connect writes them in capitals."""

FAILED = "FAILED"
LONGEST_CAUSE = 2_000
"""Characters of a failure that are shown."""

_CAUSED_BY = "Caused by: "


@dataclass(frozen=True)
class Part:
    """A connector itself, or one of its tasks.

    Attributes:
        id: number of the task; None for the connector.
        state: RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED, RESTARTING or DESTROYED.
        worker: address of its worker.
        trace: stack trace of what failed; it may hold secrets.
    """

    id: int | None
    state: str
    worker: str
    trace: str

    def __str__(self) -> str:
        """Return what a person calls it."""
        return "the connector" if self.id is None else f"task {self.id}"


@dataclass(frozen=True)
class Status:
    """A connector with its tasks.

    Attributes:
        name: of the connector.
        connector: the connector itself.
        tasks: its tasks, by number; none while it is stopped, or has not made them yet.
        type: source, sink, or unknown just after it was deleted.
    """

    name: str
    connector: Part
    tasks: tuple[Part, ...]
    type: str

    @property
    def failed(self) -> tuple[Part, ...]:
        """Return what is FAILED."""
        return tuple(part for part in (self.connector, *self.tasks) if part.state == FAILED)

    def holds(self, state: str, tasks_at_least: int = 1) -> bool:
        """Return whether the connector and its tasks are in a state.

        Running needs tasks, every one of them RUNNING. Stopped means that no task is left: Kafka Connect says STOPPED
        while a task still runs. A paused connector may have no tasks, if it was stopped before.

        Args:
            state: running, paused or stopped.
            tasks_at_least: number of tasks that running takes.
        """
        if self.connector.state != state.upper():
            return False
        if state == STOPPED:
            return not self.tasks
        if state == RUNNING and len(self.tasks) < tasks_at_least:
            return False
        return all(task.state == state.upper() for task in self.tasks)

    def __str__(self) -> str:
        """Return the states, such as ``connector RUNNING, task 0 FAILED``."""
        tasks = [f"task {task.id} {task.state}" for task in self.tasks] or ["no tasks"]
        return ", ".join([f"connector {self.connector.state}", *tasks])


def read_status(body: Mapping[str, Any]) -> Status:
    """Return the status in an answer."""
    tasks = sorted((_part(task) for task in body["tasks"]), key=lambda task: task.id or 0)
    return Status(str(body["name"]), _part(body["connector"]), tuple(tasks), str(body.get("type", "unknown")))


def failure_text(failed: Collection[Part], secrets: Collection[str] = ()) -> str:
    """Return what failed where and why, in at most `LONGEST_CAUSE` characters; no stack frames.

    Args:
        failed: parts of one connector.
        secrets: texts that must not be in it.
    """
    each = LONGEST_CAUSE // max(1, len(failed))
    lines = []
    for part in failed:
        line = f"{part} FAILED on worker {part.worker}: {causes(part.trace, secrets)}"
        lines.append(line if len(line) <= each else f"{line[: each - 1]}…")
    return "\n".join(lines)[:LONGEST_CAUSE]


def causes(trace: str, secrets: Collection[str] = ()) -> str:
    """Return the exception of a stack trace and its causes, without frames.

    Args:
        trace: of Java.
        secrets: texts that must not be in it.
    """
    frames = ("at ", "... ", "Suppressed: ")
    lines = (line.strip() for line in without(secrets, trace).splitlines())
    kept = [line for line in lines if line and not line.startswith(frames)]
    text = " ".join(f"; caused by {line[len(_CAUSED_BY) :]}" if line.startswith(_CAUSED_BY) else line for line in kept)
    return printable(text.replace(" ; caused by", "; caused by")) or "no reason was given"


def _part(body: Mapping[str, Any]) -> Part:
    return Part(body.get("id"), str(body["state"]), str(body.get("worker_id", "")), str(body.get("trace") or ""))
