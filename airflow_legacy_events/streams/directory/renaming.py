"""Renaming: a stream continues under another name after its table, topic or connection was renamed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.hooks.connections import find_connection
from airflow_legacy_events.streams.directory.entries import open_for, put, readable, store_of
from airflow_legacy_events.streams.directory.locks import Signature, locked, source_of
from airflow_legacy_events.streams.specs import spec_of
from airflow_legacy_events.watermarks.registration import (
    Registration,
    read_registration,
    remove_registration,
    write_registration,
)

RENAMED_FROM = "renamed_from"
"""Fact of a renamed stream's watermark, until a run saves it."""


class Renaming:
    """Move of a stream's state to another name; nothing is changed before `carry_out`.

    Args:
        old: name of the stream.
        new: its new name.
        conn_id: connection of its source from now on; None: the prefix of the new name, else the watermark's.

    Attributes:
        dropped: facts invalidated by the new name; the next run fills them in.

    Raises:
        ConfigurationError: there is no such stream, or one of the new name exists.
        WatermarkError: a watermark can't be read.
    """

    def __init__(self, old: str, new: str, conn_id: str | None = None) -> None:
        if old == new:
            raise ConfigurationError(f"stream {old!r} has that name already")
        self._old, self._new = old, new
        self._registration = _registered(old)
        self._store = store_of(old, self._registration)
        self._target = open_for(self._registration.store, new, self._registration)
        mark = self._mark()
        self._refuse_taken(mark)
        spec_of(mark.facts).check_facts(old, mark.facts)
        self._conn_id = conn_id or _named(new, mark.facts) or source_of(old, mark, None)
        self.dropped = tuple(fact for fact in _outdated(old, new, mark.facts) if mark.facts.get(fact) is not None)

    def carry_out(self, signature: Signature) -> Watermark:
        """Write watermark and registration under the new name, then remove the old ones, all under both locks.

        An interrupted renaming continues when it is carried out again.

        Args:
            signature: of the person.

        Raises:
            ConfigurationError: a run works on either stream, or one of the new name has begun meanwhile.
            WatermarkError: the store can't be read or written.
        """
        mark = self._mark()
        with contextlib.ExitStack() as held:
            database = held.enter_context(locked(self._old, self._conn_id, "rename", signature, mark))
            found = self._found_by_name(database)
            other = {**mark.facts, **found}
            if other.get("lock") is None or other["lock"] != mark.facts.get("lock"):
                held.enter_context(locked(self._new, self._conn_id, "rename", signature, Watermark(None, None, other)))
            mark = self._mark()  # it may have moved before the locks were held
            self._refuse_taken(mark)
            facts = {name: fact for name, fact in mark.facts.items() if name not in self.dropped}
            facts |= {**found, "source": self._conn_id, RENAMED_FROM: self._old}
            signed = signature.under(mark._replace(facts=facts))
            self._move(signed)
        return signed

    def _move(self, mark: Watermark) -> None:
        if not self._store.keeps_progress:  # one text holds all streams of a task, and forgetting one removes it
            self._store.forget(self._old)
        put(self._target, self._new, mark)
        write_registration(self._new, self._registration)
        if self._store.keeps_progress:
            self._store.forget(self._old)
        remove_registration(self._old)

    def _found_by_name(self, database: Database) -> dict[str, Any]:
        """Return the facts of the outbox in the new name: its table, and the lock of that table."""
        if "lock" not in self.dropped:
            return {}
        table = self._new.removeprefix(f"{self._conn_id}.").removesuffix("@outbox")
        return {"table": table, "lock": database.writes(table).name}

    def _mark(self) -> Watermark:
        mark = self._store.load(self._old)
        if mark is None:
            raise WatermarkError(
                f"store {self._registration.store!r} holds no watermark of stream {self._old!r}: it is lost."
                f"\nWrite it with {command('set', self._old, 'VALUE...')}, then rename it"
            )
        return mark

    def _refuse_taken(self, mark: Watermark) -> None:
        """Check that nothing is stored under the new name, except for the remains of an earlier attempt."""
        registration = read_registration(self._new)
        store = self._target if registration is None else store_of(self._new, registration)
        found = readable(store, self._new)
        if registration is None and found is None:
            return
        if found is not None and found.facts.get(RENAMED_FROM) == self._old and found[:2] == mark[:2]:
            return
        raise ConfigurationError(
            f"stream {self._new!r} has begun already, so {self._old!r} can't take its name; nothing was changed."
            f"\nIf what it has sent does not matter, forget it first: {command('forget', self._new)}"
        )


def _registered(stream: str) -> Registration:
    registration = read_registration(stream)
    if registration is None:
        raise ConfigurationError(
            f"stream {stream!r} has never begun: there is nothing to rename."
            "\nThose that have are listed by `airflow legacy-events watermark list`"
        )
    return registration


def _outdated(old: str, new: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the facts that don't hold under the new name, as far as both names consist of such facts."""
    found: tuple[str, ...] = ()
    if "@" not in new:
        return found
    topic, table = f"@{facts.get('topic')}", f".{facts.get('table')}@"
    if old.endswith(topic) and not new.endswith(topic):
        found += ("topic", "topic_id")
    if table in old and table not in new:
        found += ("table", "query", "lock")
    return found


def _named(new: str, facts: Mapping[str, Any]) -> str | None:
    """Return the connection that the new name begins with, if the rest of the name matches the watermark."""
    rest = f".{facts.get('table')}@{facts.get('topic')}"
    if facts.get("kind") == "outbox":
        rest = f".{facts.get('table')}@outbox"
    conn_id = new.removesuffix(rest)
    if conn_id == new or not conn_id:
        return None
    with contextlib.suppress(ConfigurationError):
        find_connection(conn_id)
        return conn_id
    return None
