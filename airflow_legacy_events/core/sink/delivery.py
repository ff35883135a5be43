"""Delivery of a sink: the changes of a batch and the position behind it, in one transaction of the target.

The commit is the only judge. A run that dies before it has changed nothing; one that dies after it has saved its
position. A zombie's transaction changes no position row, and is rolled back.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from airflow_legacy_events.core.errors import DeliveryError, TargetError, WatermarkError
from airflow_legacy_events.core.model import Batch, Delivered, MetTopics, Watermark
from airflow_legacy_events.core.model.changes import Changes, Poison
from airflow_legacy_events.core.ports import Lease, Observer
from airflow_legacy_events.core.ports.target import (
    Counts,
    ObjectionError,
    OutcomeUnknownError,
    PositionStore,
    Target,
    TransactionLostError,
    Unit,
)
from airflow_legacy_events.core.sink.facts import MET
from airflow_legacy_events.core.sink.halving import Applied, apply_halved
from airflow_legacy_events.core.sink.marking import segments
from airflow_legacy_events.core.sink.ordering import steps_of
from airflow_legacy_events.core.sink.reducing import reduced
from airflow_legacy_events.core.sink.tables import KnownTables

TRIES = 5
"""Transactions of one batch that a deadlock or a lost connection may end."""


class DeadLetters(Protocol):
    """Where messages go that can't be applied."""

    def send(self, changes: Changes, poison: Sequence[Poison]) -> None:
        """Send messages as they are, and wait until they are confirmed; no transaction is open meanwhile.

        Raises:
            DeliveryError: they can't be sent.
        """


class _Outcome(NamedTuple):
    """Outcome of one transaction.

    Attributes:
        applied: within it; of a transaction with guilty messages nothing was committed.
        new: the watermark that it saved.
        failure: why it was not committed; None if it was, or messages are guilty.
        unknown: whether it may have been committed although its answer was lost.
    """

    applied: Applied
    new: Watermark
    failure: Exception | None = None
    unknown: bool = False


class AppliedDelivery:
    """Applies each batch in a transaction that also holds the new position.

    Args:
        name: under which the position is kept: the stream, or the progress of a replay.
        lease: of the stream's lock; it only keeps runs polite.
        target: of the tables.
        positions: in the same database.
        dead_letters: where messages go that can't be applied; None: one of them fails the run.
        known: compares the tables with what the last run left; None: nothing is compared, as in a replay.
        observers: called for every load and save.
        log: of the task.
    """

    def __init__(  # noqa: PLR0913  the parts of a run
        self,
        name: str,
        lease: Lease,
        *,
        target: Target,
        positions: PositionStore,
        dead_letters: DeadLetters | None = None,
        known: KnownTables | None = None,
        observers: Sequence[Observer] = (),
        log: logging.Logger | None = None,
    ) -> None:
        self._name, self._lease, self._target, self._positions = name, lease, target, positions
        self._dead_letters, self._known, self._observers = dead_letters, known, tuple(observers)
        self._log = log or logging.getLogger(__name__)
        self._facts: dict[str, Any] = {}
        self._met: dict[str, Any] = {}
        self._saved: Watermark | None = None
        self._delivered = Delivered()

    @property
    def delivered(self) -> Delivered:
        """See `Delivery.delivered`."""
        return self._delivered

    @property
    def values(self) -> tuple[str, ...] | None:
        """See `Delivery.values`."""
        return None if self._saved is None else self._saved.values

    def load(self) -> Watermark | None:
        """See `Delivery.load`."""
        self._saved = self._positions.load(self._name)
        for observer in self._observers:
            observer.loaded(self._saved)
        if self._known is not None:
            self._known.loaded(self._saved)
        if self._saved is not None:
            self._met = dict(self._saved.facts.get(MET) or {})
        return self._saved

    def require(self, topics: Sequence[str]) -> MetTopics:  # noqa: ARG002  nothing is written to a topic
        """See `Delivery.require`."""
        return MetTopics()

    def begin(self, facts: Mapping[str, Any]) -> None:
        """See `Delivery.begin`."""
        self._facts = dict(facts)
        if self._saved is None:
            self._commit(Watermark(None, None, self._facts), None, ())

    def acknowledge(self, mark: Watermark) -> None:
        """See `Delivery.acknowledge`; a topic leaves nothing to acknowledge."""

    def deliver(self, batch: Batch, messages: Any) -> None:
        """See `Delivery.deliver`."""
        changes: Changes | None = messages
        poison = () if changes is None else tuple(changes.poison)
        new = batch.watermark._replace(facts=self._facts_of(batch, changes))
        self._refuse(changes, poison)
        if changes is not None and self._known is not None:
            self._known.meet(changes.tables)
        while (found := self._commit(new, changes, poison)).guilty:
            self._refuse(changes, found.guilty)
            poison += found.guilty
        self._count(batch, changes, poison, found)

    @property
    def met(self) -> Mapping[str, Any]:
        """What messages have added so far; see `facts.MET`."""
        return self._met

    def check(self) -> None:
        """See `Delivery.check`; no row is left behind."""

    def close(self) -> None:
        """See `Delivery.close`; everything is committed."""

    def rescue(self) -> None:
        """See `Delivery.rescue`; there is nothing between confirmed and saved."""

    def forget(self) -> None:
        """See `Delivery.forget`."""
        self._positions.forget(self._name)

    def _apply(self, changes: Changes | None, poison: Sequence[Poison], unit: Unit) -> Applied:
        places = () if changes is None else _places(changes, poison)
        if changes is None or not places:
            return Applied({})
        tables, identity = changes.tables, self._target.identity_of

        def some(unit: Unit, within: Sequence[int]) -> dict[str, Counts]:
            done = dict.fromkeys(tables, Counts())
            for part in segments(tables.values(), identity, within):
                states = [reduced(found, identity, part) for found in tables.values()]
                for one in states:
                    done[one.shape.table] = done.get(one.shape.table, Counts()).plus(Counts(skipped=one.skipped))
                for one in steps_of(states):
                    done[one.shape.table] = done[one.shape.table].plus(unit.apply(one))
            return done

        return apply_halved(unit, places, some)

    def _facts_of(self, batch: Batch, changes: Changes | None) -> dict[str, Any]:
        """Return the facts of the watermark behind a batch, with what its messages add."""
        if changes is not None:
            self._met = _joined(self._met, changes.facts)
        met = {MET: self._met} if self._met else {}
        kept = {} if self._known is None else self._known.facts()
        return copy.deepcopy({**self._facts, **batch.watermark.facts, **met, **kept})

    def _commit(self, new: Watermark, changes: Changes | None, poison: Sequence[Poison]) -> Applied:
        """Apply and save in one transaction, begun again after a deadlock or a lost connection.

        If messages are found guilty, nothing is committed.
        """
        self._lease.check()
        for observer in self._observers:
            observer.saving(new, self._delivered)
        unknown: _Outcome | None = None
        for left in reversed(range(TRIES)):
            outcome = self._transaction(new, changes, poison)
            if outcome.failure is None:
                break
            if outcome.unknown:
                unknown = outcome
            if unknown is not None and self._positions.load(self._name) == unknown.new:  # it did take place
                outcome = unknown
                break
            if not left or isinstance(outcome.failure, WatermarkError):
                raise self._given_up(outcome.failure) from None
        if not outcome.applied.guilty:
            self._keep(outcome.new)
        return outcome.applied

    def _transaction(self, new: Watermark, changes: Changes | None, poison: Sequence[Poison]) -> _Outcome:
        """Run one transaction; a watermark that was moved meanwhile rolls it back."""
        found = Applied({})
        try:
            with self._target.transaction() as unit:
                found = self._apply(changes, poison, unit)
                if not found.guilty:
                    new = self._with_tables(new, unit, changes, found)
                    self._positions.save(unit, self._name, new, expected=self._saved)
                else:
                    unit.roll_back()
        except (TransactionLostError, WatermarkError) as error:
            return _Outcome(found, new, error)
        except OutcomeUnknownError as error:
            return _Outcome(found, new, error, unknown=True)
        except ObjectionError as error:
            raise TargetError(
                f"the target objected to the transaction of stream {self._name!r} only at COMMIT, and none of its"
                f" messages alone is the reason: {error.reason}. Nothing of the batch was applied"
            ) from None
        return _Outcome(found, new)

    def _with_tables(self, new: Watermark, unit: Unit, changes: Changes | None, found: Applied) -> Watermark:
        if self._known is None or changes is None or not found.counts:
            return new
        return new._replace(facts={**new.facts, **self._known.left(unit, changes.tables, found.counts)})

    def _given_up(self, error: Exception | None) -> Exception:
        if isinstance(error, WatermarkError):
            return error
        return TargetError(
            f"the transaction of stream {self._name!r} was lost {TRIES} times; nothing of the batch was applied."
            f" {error}",
            retry_helps=True,
        )

    def _keep(self, new: Watermark) -> None:
        self._saved = new
        for observer in self._observers:
            observer.saved(new)

    def _refuse(self, changes: Changes | None, poison: Sequence[Poison]) -> None:
        """Send poison to the dead-letter topic; without one the run fails before the batch."""
        if not poison or changes is None:
            return
        if self._dead_letters is not None:
            self._dead_letters.send(changes, poison)
            return
        first = poison[0]
        raise DeliveryError(
            f"message {changes.received.name_of(first.place)} can't be applied: {first.error}, {first.reason}. Nothing"
            f" of its batch was applied, and the position stays below it; {len(poison)} in the batch can't be. Correct"
            " the cause, or name a dead_letter_topic, which such messages are passed to"
        )

    def _count(self, batch: Batch, changes: Changes | None, poison: Sequence[Poison], found: Applied) -> None:
        skipped = 0 if changes is None else changes.skipped
        skipped += sum(one.skipped for one in found.counts.values())
        events = batch.count - len(poison) - skipped
        size = 0 if changes is None else changes.bytes
        tables = {name: (one.upserted, one.deleted) for name, one in found.counts.items()}
        done = Delivered(batch.count, events, len(poison), 1, size, skipped=skipped, tables=tables)
        self._delivered = self._delivered.plus(done)


def _places(changes: Changes, poison: Sequence[Poison]) -> list[int]:
    """Return the places of the messages that mean something for a table, in order."""
    if len(changes.tables) == 1 and not poison:
        return next(iter(changes.tables.values())).places
    without = {one.place for one in poison}
    return sorted({at for one in changes.tables.values() for at in one.places} - without)


def _joined(before: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts with what a batch adds; objects are joined one level deep, and none is shared."""
    return {
        **before,
        **{
            name: {**before[name], **one} if isinstance(one, Mapping) and isinstance(before.get(name), Mapping) else one
            for name, one in more.items()
        },
    }
