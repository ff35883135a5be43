"""Moves: a person sets, rewinds or forgets a watermark while no run works on its stream."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.streams.directory.entries import readable, store_of
from airflow_legacy_events.streams.directory.locks import Signature, locked, source_of
from airflow_legacy_events.streams.directory.rewinding import rewound
from airflow_legacy_events.streams.specs import spec_of
from airflow_legacy_events.streams.specs.base import MovesPositions
from airflow_legacy_events.watermarks.registration import read_registration, remove_registration


class Move(Protocol):
    """A change that a person makes to a watermark."""

    @property
    def verb(self) -> str:
        """Verb that names the move."""

    @property
    def conn_id(self) -> str | None:
        """Connection of the stream's source; needed where no readable watermark names it."""

    def moved(self, stream: str, mark: Watermark | None, database: Database | None) -> Watermark | None:
        """Return the watermark after the move, None if none is left.

        Args:
            stream: for errors.
            mark: the current watermark, None if there is no readable one.
            database: of the source; None for a preview.

        Raises:
            ConfigurationError, WatermarkError: it can't be moved that way.
        """


ACCEPTED: Mapping[str, tuple[str, ...]] = {
    "server": ("reached", "horizon"),
    "object": ("object", "last", "horizon"),
    "order": ("order", "horizon"),
    "definition": ("definition", "horizon"),
    "where": ("where", "horizon"),
    "topic": ("topic_id", "topic", "topic_ids"),
    "position": ("reached", "horizon"),
}
"""What a person may accept in its current state, and the facts that go with it."""

_OF_THE_VALUES = ("included", "last", "emptied", "gone", "horizon")
"""Facts that describe the old values."""


@dataclass(frozen=True, kw_only=True)
class SetWatermark:
    """Replaces the values of a watermark, or accepts the current state of the source.

    Attributes:
        values: texts of the watermark columns, then of the key columns; empty: unchanged.
        accept: of `ACCEPTED`: facts for which the next run takes the state that it finds.
        conn_id: see `Move.conn_id`.
    """

    values: Sequence[str] = ()
    accept: Collection[str] = ()
    conn_id: str | None = None
    verb = "set"

    def moved(self, stream: str, mark: Watermark | None, database: Database | None) -> Watermark:
        """See `Move.moved`; the receipt and the place belong to the old values and are removed with them."""
        if mark is None and not self.values:
            raise ConfigurationError(
                f"stream {stream!r} has no readable watermark whose {' or '.join(self.accept) or 'values'} could be"
                f" accepted. Give its new VALUEs as well, or start over with {command('forget', stream)}"
            )
        old = mark or Watermark(None, None, {})
        spec = spec_of(old.facts)
        spec.check_facts(stream, old.facts)
        spec.check_accept(stream, self.accept)
        facts = dict(old.facts)
        if self.values:
            spec.check_move(stream, facts)
            _check_values(self.values, facts.get("columns"))
            if isinstance(spec, MovesPositions):
                old = spec.set_to(stream, old, self.values, whole="topic" in self.accept)
                facts = dict(old.facts)
            else:
                for fact in _OF_THE_VALUES:
                    facts.pop(fact, None)
                old = old._replace(values=tuple(self.values), receipt=None)
        facts["source"] = source_of(stream, mark, self.conn_id)
        for what in self.accept:
            for fact in ACCEPTED[what]:
                facts.pop(fact, None)
        if database is not None:
            facts |= {fact: now for fact, now in self._now(database).items() if now is not None}
        return old._replace(facts=facts)

    def _now(self, database: Database) -> dict[str, Any]:
        """Return the facts that are known without the stream's arguments; the next run fills in the others."""
        server = {"server": database.identity()} if "server" in self.accept else {}
        return {**server, "reached": database.position()} if {"server", "position"} & {*self.accept} else server


@dataclass(frozen=True, kw_only=True)
class Rewind:
    """Moves a watermark back, so that the next run sends the rows above it again.

    Attributes:
        to: value of the first watermark column, inclusive; either this or `by`.
        by: a number, or a time such as `90s`, `30m`, `2h`, `7d`, `1w`.
        conn_id: see `Move.conn_id`.
    """

    to: str | None = None
    by: str | None = None
    conn_id: str | None = None
    verb = "rewind"

    def moved(self, stream: str, mark: Watermark | None, database: Database | None) -> Watermark:  # noqa: ARG002
        """See `Move.moved`."""
        if mark is not None:
            spec = spec_of(mark.facts)
            spec.check_move(stream, mark.facts)
            if isinstance(spec, MovesPositions):
                return spec.rewound(stream, mark, self.to, self.by)
        return rewound(stream, mark, self.to, self.by)


@dataclass(frozen=True, kw_only=True)
class Forget:
    """Removes watermark and registration: the next run is a first run.

    Attributes:
        conn_id: see `Move.conn_id`.
    """

    conn_id: str | None = None
    verb = "forget"

    def moved(self, stream: str, mark: Watermark | None, database: Database | None) -> None:
        """See `Move.moved`."""


class Preview(NamedTuple):
    """A watermark before and after a move."""

    before: Watermark | None
    after: Watermark | None


def preview(stream: str, move: Move) -> Preview:
    """Return what a move would do; nothing is changed.

    Raises:
        ConfigurationError, WatermarkError: it can't be moved that way.
    """
    mark = readable(store_of(stream, read_registration(stream)), stream)
    return Preview(mark, move.moved(stream, mark, None))


def carry_out(stream: str, move: Move, signature: Signature) -> Watermark | None:
    """Move a watermark under the stream's lock; return its new state.

    Raises:
        ConfigurationError: it can't be moved that way, or a run works on the stream.
        WatermarkError: it can't be read or written.
    """
    store = store_of(stream, read_registration(stream))
    mark = readable(store, stream)
    move.moved(stream, mark, None)  # impossible moves are refused before the lock is requested
    with locked(stream, source_of(stream, mark, move.conn_id), move.verb, signature, mark) as database:
        mark = readable(store, stream)  # it may have moved before the lock was held
        new = move.moved(stream, mark, database)
        if mark is None or new is None:
            store.forget(stream)  # an invalid manual edit can't be the expected value
        if new is None:
            remove_registration(stream)
            return None
        signed = signature.under(new)
        store.save(stream, signed, expected=mark)
    return signed


def _check_values(values: Sequence[str], columns: list[list[str]] | None) -> None:
    if any("\ud800" <= one <= "\udfff" for value in values for one in value):
        raise ConfigurationError("a value was given that holds half a surrogate pair; give it as UTF-8")
    if columns is not None and len(values) > len(columns):
        raise ConfigurationError(
            f"{len(values)} values were given, but the watermark has {len(columns)} columns:"
            f" {', '.join(f'{name} ({kind})' for name, kind in columns)}"
        )
