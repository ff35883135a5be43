"""One batch of messages becomes the changes of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.model import STARTED, Batch
from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, Changes, Poison, Received, TableChanges
from airflow_legacy_events.core.model.meaning import Meaning
from airflow_legacy_events.core.ports.decoder import Decoder, NotUnderstoodError
from airflow_legacy_events.envelopes.decoding.assembling import TableAssembler, poison_of
from airflow_legacy_events.envelopes.decoding.options import DecodingOptions
from airflow_legacy_events.envelopes.decoding.routes import Routes
from airflow_legacy_events.envelopes.decoding.snapshots import Snapshots
from airflow_legacy_events.envelopes.decoding.tables import Entries, Tables

_REPEATED = "mode"
"""Header of messages that are sent again; see `Payload.repeated`."""


class Step:
    """Decodes batches, one after the other.

    Args:
        decoder: of the messages' envelope.
        options: of the user.
        routes: which table each message is for.
        tables: what assembles the changes of each.
        snapshots: what was seen of them.
    """

    def __init__(
        self, decoder: Decoder, options: DecodingOptions, routes: Routes, tables: Tables, snapshots: Snapshots
    ) -> None:
        self._decoder, self._options = decoder, options
        self._routes, self._tables, self._snapshots = routes, tables, snapshots
        self._follows = not options.appends and options.on_delete in ("apply", "soft")

    def __call__(self, batch: Batch) -> Changes:
        """Return the changes of a batch, whose rows are `Received`.

        Raises:
            SchemaChangedError: messages have fields that their table has no column for, and that is a fault.
            DeliveryError: a truncate, and that is a fault.
            ConfigurationError, TargetError: a table can't be found or made.
        """
        received = cast("Received", batch.rows)
        poison: list[Poison] = []
        skipped = 0
        entries: dict[str, list[tuple[int, Meaning]]] = {}
        truncated: set[str] = set()
        for at in range(len(received)):
            try:
                found = self._read(received, at, truncated)
            except (NotUnderstoodError, RecursionError) as error:
                poison.append(poison_of(error, at))
                continue
            if found is None:
                skipped += 1
            else:
                entries.setdefault(found[0], []).append((at, found[1]))
        tables: dict[str, TableChanges] = {}
        for name, some in entries.items():
            changes, left, guilty = self._assembled(name, some, received)
            skipped += left
            poison += guilty
            if changes is not None:
                tables[name] = changes
        sizes = [len(key or b"") + len(value or b"") for key, value in zip(received.keys, received.values, strict=True)]
        facts = self._snapshots.facts()
        return Changes(received, tables, skipped, sorted(poison), sum(sizes), max(sizes, default=0), facts)

    def _read(self, received: Received, at: int, truncated: set[str]) -> tuple[str, Meaning] | None:
        """Return table and meaning of a message, None if it changes no table."""
        self._check_size(received, at)
        meaning = self._decoder.read(received, at)
        if meaning is None:
            return None
        name = self._routes.of(received.topics[at], meaning.table)
        if name is None:
            return None
        if self._follows:
            self._follow(name, meaning, received, at)
        if meaning.op == STARTED:
            return None
        if meaning.op == TRUNCATE:
            return self._truncate(name, meaning, received, at, truncated)
        return None if meaning.op == DELETE and self._left_out(meaning, received, at) else (name, meaning)

    def _check_size(self, received: Received, at: int) -> None:
        size = len(received.keys[at] or b"") + len(received.values[at] or b"")
        if size > self._options.max_row_bytes:
            raise NotUnderstoodError("SIZE", f"it has {size} bytes, and max_row_bytes={self._options.max_row_bytes}")

    def _truncate(
        self, name: str, meaning: Meaning, received: Received, at: int, truncated: set[str]
    ) -> tuple[str, Meaning] | None:
        """Return a truncate that is to be applied; the same one on another partition is none."""
        if self._options.on_truncate == "fail":
            raise DeliveryError(
                f"message {received.name_of(at)} truncates table {name!r}, and on_truncate='fail'. Nothing of its batch"
                " was applied, and the position stays below it. Set on_truncate='apply' or 'skip'"
            )
        mark = f"{name} {meaning.id}"
        if self._options.on_truncate == "skip" or (meaning.id is not None and mark in truncated):
            return None
        truncated.add(mark)
        self._snapshots.truncated(name)
        return name, meaning

    def _left_out(self, meaning: Meaning, received: Received, at: int) -> bool:
        """Whether a delete is skipped by rule; one that can't be applied is an error."""
        if self._options.on_delete == "fail":
            raise NotUnderstoodError("VALUE", "it deletes a row, and on_delete='fail'; set 'apply', 'soft' or 'skip'")
        if self._options.on_delete == "skip":
            return True
        if not self._options.appends:
            return False
        if "op" not in self._options.metadata:
            raise NotUnderstoodError(
                "VALUE",
                "it deletes a row, and mode='append' has no op column; add metadata_columns=['op'], or set"
                " on_delete='skip'",
            )
        return received.values[at] is None and not meaning.said

    def _follow(self, name: str, meaning: Meaning, received: Received, at: int) -> None:
        """Note what a message shows of snapshots."""
        if meaning.said == "r" and meaning.snapshot is None:
            return
        if any(header == _REPEATED for header, _ in received.headers[at]):
            return
        partition = f"{received.topics[at]}[{received.partitions[at]}]"
        if meaning.snapshot is None:
            self._snapshots.streamed(name, partition)
        else:
            self._snapshots.read(name, partition, meaning.snapshot, begins=meaning.begins)

    def _assembled(
        self, name: str, entries: Entries, received: Received
    ) -> tuple[TableChanges | None, int, Sequence[Poison]]:
        """Return a table's changes, the number of messages that are skipped, and those that can't be applied."""
        assembler = self._tables.of(name, entries, received)
        if assembler is None:  # there is no table, and nothing but deletes for it
            return None, len(entries), ()
        poison = _assemble(assembler, entries, received)
        if assembler.unknown:
            grown = self._tables.grow(assembler, entries, received)
            if grown is not None:
                poison, assembler = _assemble(grown, entries, received), grown
        skipped = assembler.skipped
        return assembler.take(), skipped, poison


def _assemble(assembler: TableAssembler, entries: Entries, received: Received) -> list[Poison]:
    poison = []
    for at, meaning in entries:
        try:
            assembler.add(meaning, received, at)
        except (NotUnderstoodError, RecursionError) as error:
            poison.append(poison_of(error, at))
    return poison
