"""New streams of tasks that have moved another stream: a table, topic or connection may have been renamed."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable
from typing import NamedTuple

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.core.model import Delivered, Watermark
from airflow_legacy_events.core.ports import Source
from airflow_legacy_events.streams.naming import slot_in
from airflow_legacy_events.streams.specs.base import KeptBySlot, SourceSpec
from airflow_legacy_events.watermarks.opening import NamedStore
from airflow_legacy_events.watermarks.predecessors import predecessors

RULES = ("warn", "fail")
MOST_ROWS = 10_000


class Beginner(NamedTuple):
    """The stream that begins, and its task.

    Attributes:
        stream: its name.
        topic: its destination.
        dag: id of the task's DAG.
        task: id of the task.
    """

    stream: str
    topic: str
    dag: str
    task: str


class NewStream:
    """Reports, before a first run sends anything, that its task has moved another stream; a watermark observer.

    There is no check if the stream has begun before.

    Args:
        new: the stream that begins.
        spec: the arguments of its source.
        source: to count its rows.
        store: of its watermark.
        rule: of `RULES`.
        log: of the task.
        verb: what becomes of rows.
    """

    def __init__(
        self,
        new: Beginner,
        spec: SourceSpec,
        source: Source,
        store: NamedStore,
        rule: str,
        log: logging.Logger,
        *,
        verb: str = "send",
    ) -> None:
        self._new, self._spec, self._source, self._store = new, spec, source, store
        self._rule, self._log, self._verb = rule, log, verb

    def loaded(self, at: Watermark | None) -> None:
        """See `core.ports.Observer.loaded`.

        Raises:
            ConfigurationError: the task has moved another stream, and the rule is `fail`.
        """
        if at is not None:
            return
        try:
            old = self._predecessor()
        except LegacyEventsError as error:
            self._log.info(
                "whether this task has moved another stream than %s is not known: %s", self._new.stream, error
            )
            return
        if old is None:
            return
        if self._rule == "fail":
            raise ConfigurationError(
                f"{self._described(*old)}\nNothing was sent. To start over under the new name, set on_new_stream='warn'"
            )
        self._log.warning("%s", self._described(*old))

    def saving(self, new: Watermark, delivered: Delivered) -> None:
        """See `core.ports.Observer.saving`."""

    def saved(self, new: Watermark) -> None:
        """See `core.ports.Observer.saved`."""

    def _predecessor(self) -> tuple[str, Watermark | None, int] | None:
        """Return the newest predecessor that has delivered something, its watermark, and how many there are."""
        new = self._new
        named = [text for text in self._spec.naming(new.topic).values() if text]
        found = [
            (name, mark)
            for name, registration in (predecessors(new.stream, new.dag, new.task, named) or {}).items()
            if (mark := self._mark(name, registration.store)) is None or _has_delivered(mark)
        ]
        return (*found[0], len(found)) if found else None

    def _mark(self, stream: str, store: str) -> Watermark | None:
        """Return the watermark of another stream, if it is in the same store and reading it has no side effect."""
        if store != self._store.name or not self._store.reads_others:
            return None
        try:
            return self._store.load(stream)
        except LegacyEventsError:
            return None

    def _described(self, old: str, mark: Watermark | None, count: int) -> str:
        more = f", and {count - 1} before it" if count > 1 else ""
        conn_id, new = self._spec.conn_id, self._new.stream
        elsewhere = mark is not None and mark.facts.get("source") not in (None, conn_id)
        where = ("--source-conn-id", conn_id) if elsewhere else ()
        begun = f"stream {new!r} begins now, but this task has moved another one: {old!r}{more}."
        slot = self._spec.slot_in(old) if isinstance(self._spec, KeptBySlot) else None
        if slot is not None and slot != slot_in(new):
            return (
                f"{begun} Was its DAG, task or slot= renamed? This run is about to make a slot of its own, and the"
                " server keeps WAL for the other one until that is dropped."
                f"\nTo continue where the other one ended, keep its slot: slot={slot!r}"
                f"\nTo drop it: airflow legacy-events slots drop {slot} --conn-id {conn_id}"
            )
        of_log = isinstance(self._spec, KeptBySlot)
        return (
            f"{begun} Was its {'' if of_log else 'table, topic or '}connection renamed?"
            f" This run is about to {self._verb} {self._counted(self._rows)} from the beginning."
            f"\nTo continue where the other one ended, rename it: {command('rename', old, shlex.quote(new), *where)}"
            + ("" if of_log else f"\nOr keep its name: stream={old!r}")
        )

    def _counted(self, rows: Callable[[], int]) -> str:
        if self._spec.begins_now:
            return "no rows, since first_run='now' does not go"
        if isinstance(self._spec, KeptBySlot):
            return "all rows"
        try:
            found = rows()
        except LegacyEventsError:  # a full load, or an error that the run itself will raise
            return "all rows"
        return f"more than {MOST_ROWS} rows" if found > MOST_ROWS else f"{found} row{'s' if found != 1 else ''}"

    def _rows(self) -> int:
        return self._source.pending(None, MOST_ROWS + 1).rows


def _has_delivered(mark: Watermark) -> bool:
    return mark.values is not None or bool(mark.facts.get("load")) or mark.receipt is not None
