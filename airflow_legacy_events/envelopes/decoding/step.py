"""One batch of messages becomes the changes of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import add
from typing import Any, cast

from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.model import STARTED, Batch
from airflow_legacy_events.core.model.changes import (
    DELETE,
    TRUNCATE,
    UPSERT,
    Changes,
    Poison,
    Received,
    TableChanges,
)
from airflow_legacy_events.core.model.meaning import Meaning
from airflow_legacy_events.core.model.packed import at_places
from airflow_legacy_events.core.ports.decoder import Decoder, NotUnderstoodError
from airflow_legacy_events.core.sink.reducing import Identity, reduce_ahead
from airflow_legacy_events.envelopes.decoding.assembling import TableAssembler, poison_of
from airflow_legacy_events.envelopes.decoding.fast.batches import Batches, Upserts
from airflow_legacy_events.envelopes.decoding.fast.members import REPEATED
from airflow_legacy_events.envelopes.decoding.options import DecodingOptions
from airflow_legacy_events.envelopes.decoding.routes import Routes
from airflow_legacy_events.envelopes.decoding.snapshots import Sight, Snapshots
from airflow_legacy_events.envelopes.decoding.tables import Entries, Tables

_NONE = Upserts((), (), None)


class Step:
    """Decodes batches, one after the other.

    Args:
        decoder: of the messages' envelope.
        options: of the user.
        routes: which table each message is for.
        tables: what assembles the changes of each.
        snapshots: what was seen of them.
        identity: of a key; see `Target.identity_of`.
    """

    def __init__(
        self,
        decoder: Decoder,
        options: DecodingOptions,
        routes: Routes,
        tables: Tables,
        snapshots: Snapshots,
        identity: Identity,
    ) -> None:
        self._decoder, self._options = decoder, options
        self._routes, self._tables, self._snapshots, self._identity = routes, tables, snapshots, identity
        self._usual = Batches(decoder, routes, tables.found)
        self._follows = not options.appends and options.on_delete in ("apply", "soft")

    def __call__(self, batch: Batch) -> Changes:
        """Return the changes of a batch, whose rows are `Received`.

        Raises:
            SchemaChangedError: messages have fields that their table has no column for, and that is a fault.
            DeliveryError: a truncate, and that is a fault.
            ConfigurationError, TargetError: a table can't be found or made.
        """
        received = cast("Received", batch.rows)
        total, longest, long = self._sizes(received)
        places: Sequence[int] = range(len(received))
        upserts = self._usual.decode(received, [at for at in places if at not in long] if long else places)
        found = _Found(received)
        self._read(found, long, upserts)
        for name in dict.fromkeys((*upserts, *found.entries)):
            self._assemble(name, found, upserts.get(name, _NONE))
        if self._follows:
            self._follow(found, upserts)
        for name, table in found.tables.items():
            reduce_ahead(table, self._identity)
            self._usual.pack(name, on=table.complete and table.last != ())
        facts = self._snapshots.facts()
        return Changes(received, found.tables, found.skipped, sorted(found.poison), total, longest, facts)

    def _sizes(self, received: Received) -> tuple[int, int, Mapping[int, int]]:
        """Return the bytes of all messages, of the longest one, and of each that is too long by its place."""
        keys: Sequence[Any] = received.keys
        values: Sequence[Any] = received.values
        try:
            sizes = list(map(add, map(len, keys), map(len, values)))
        except TypeError:  # some have no key or value
            sizes = [len(key or b"") + len(value or b"") for key, value in zip(keys, values, strict=True)]
        longest, most = max(sizes, default=0), self._options.max_row_bytes
        long = {} if longest <= most else {at: size for at, size in enumerate(sizes) if size > most}
        return sum(sizes), longest, long

    def _read(self, found: _Found, long: Mapping[int, int], upserts: dict[str, Upserts]) -> None:
        """Read the messages that are not decoded already, one by one."""
        if sum(len(one.places) for one in upserts.values()) == len(found.received):
            return
        done = {at for one in upserts.values() for at in one.places}
        most = self._options.max_row_bytes
        for at in range(len(found.received)):
            if at in done:
                continue
            if at in long:
                found.poison.append(Poison(at, "SIZE", f"it has {long[at]} bytes, and max_row_bytes={most}"))
                continue
            try:
                self._read_one(found, at)
            except (NotUnderstoodError, RecursionError) as error:
                found.poison.append(poison_of(error, at))

    def _read_one(self, found: _Found, at: int) -> None:
        received = found.received
        meaning = self._decoder.read(received, at)
        name = None if meaning is None else self._routes.of(received.topics[at], meaning.table)
        if meaning is None or name is None:
            found.skipped += 1
            return
        if self._follows:
            found.sights += self._sight(name, meaning, received, at)
        if self._means_nothing(name, meaning, found, at):
            found.skipped += 1
        else:
            found.entries.setdefault(name, []).append((at, meaning))

    def _means_nothing(self, name: str, meaning: Meaning, found: _Found, at: int) -> bool:
        """Whether a message changes no row by rule."""
        if meaning.op == DELETE:
            return self._left_out(meaning, found.received, at)
        return meaning.op == STARTED or (meaning.op == TRUNCATE and not self._truncates(name, meaning, found, at))

    def _truncates(self, name: str, meaning: Meaning, found: _Found, at: int) -> bool:
        """Whether a truncate is to be applied; the same one on another partition is not."""
        if self._options.on_truncate == "fail":
            raise DeliveryError(
                f"message {found.received.name_of(at)} truncates table {name!r}, and on_truncate='fail'. Nothing of its"
                " batch was applied, and the position stays below it. Set on_truncate='apply' or 'skip'"
            )
        mark = (name, meaning.id)
        if self._options.on_truncate == "skip" or (meaning.id is not None and mark in found.truncated):
            return False
        found.truncated.add(mark)
        return True

    def _left_out(self, meaning: Meaning, received: Received, at: int) -> bool:
        """Whether a delete is skipped by rule; one that can't be applied is an error."""
        if self._options.on_delete == "fail":
            raise NotUnderstoodError("VALUE", "it deletes a row, and on_delete='fail'; set 'apply', 'soft' or 'skip'")
        if self._options.on_delete == "skip":
            return True
        if not self._options.appends:
            return False
        if received.values[at] is None and not meaning.said:  # a tombstone is no event
            return True
        if "op" not in self._options.metadata:
            raise NotUnderstoodError(
                "VALUE",
                "it deletes a row, and mode='append' has no column for that; add metadata_columns=['op'], or set"
                " on_delete='skip'",
            )
        return False

    def _assemble(self, name: str, found: _Found, upserts: Upserts) -> None:
        """Add a table's changes, or count what can't be one."""
        received, entries = found.received, found.entries.get(name, [])
        if not entries:
            shape, count = self._tables.found[name].shape, len(upserts.places)
            places = list(upserts.places)
            found.tables[name] = TableChanges(shape, [UPSERT] * count, upserts.rows, places, complete=upserts.complete)
            return
        assembler = self._tables.of(name, entries, received)
        if assembler is None:  # there is no table, and nothing but deletes for it
            found.skipped += len(entries)
            return
        poison = _assembled(assembler, entries, upserts, received)
        if assembler.unknown and (grown := self._tables.grow(assembler, entries, received)) is not None:
            rows = grown.widened(upserts.rows, assembler.shape)
            poison = _assembled(grown, entries, upserts._replace(rows=rows), received)
            assembler = grown
        found.poison += poison
        found.skipped += assembler.skipped
        found.tables[name] = assembler.take()

    def _sight(self, name: str, meaning: Meaning, received: Received, at: int) -> list[Sight]:
        """Return what a message shows of snapshots."""
        if meaning.op == TRUNCATE:
            return [Sight(at, name, None)] if self._options.on_truncate == "apply" else []
        if meaning.said == "r" and meaning.snapshot is None:
            return []
        if any(header == REPEATED for header, _ in received.headers[at]):
            return []
        return [Sight(at, name, _partition(received, at), meaning.snapshot, meaning.begins)]

    def _follow(self, found: _Found, upserts: dict[str, Upserts]) -> None:
        sights, received = found.sights, found.received
        alone = all(one.shown is None for one in upserts.values()) and all(one.snapshot is None for one in sights)
        for name, one in upserts.items():
            if alone:  # the order of changes alone does not matter
                topics, partitions = (at_places(each, one.places) for each in (received.topics, received.partitions))
                parts = set(zip(topics, partitions, strict=True))
                sights += [Sight(one.places[0], name, f"{topic}[{number}]") for topic, number in parts]
            else:
                shown = [(at, None) for at in one.places] if one.shown is None else one.shown
                sights += [Sight(at, name, _partition(received, at), snapshot) for at, snapshot in shown]
        self._snapshots.follow(sights)


class _Found:
    """What was found in a batch so far."""

    def __init__(self, received: Received) -> None:
        self.received = received
        self.entries: dict[str, list[tuple[int, Meaning]]] = {}
        self.tables: dict[str, TableChanges] = {}
        self.poison: list[Poison] = []
        self.skipped = 0
        self.truncated: set[tuple[str, str | None]] = set()
        self.sights: list[Sight] = []


def _assembled(assembler: TableAssembler, entries: Entries, upserts: Upserts, received: Received) -> list[Poison]:
    """Collect the changes of a table in the order of their messages; return those that can't be applied."""
    poison, decoded = [], zip(upserts.places, upserts.rows, strict=True)
    ready = next(decoded, None)
    for at, meaning in entries:
        while ready is not None and ready[0] < at:
            assembler.put(ready[1], ready[0])
            ready = next(decoded, None)
        try:
            assembler.add(meaning, received, at)
        except (NotUnderstoodError, RecursionError) as error:
            poison.append(poison_of(error, at))
    for one in [] if ready is None else [ready, *decoded]:
        assembler.put(one[1], one[0])
    return poison


def _partition(received: Received, at: int) -> str:
    return f"{received.topics[at]}[{received.partitions[at]}]"
