"""Delivery of a sink: the changes of a batch and the position behind it, in one transaction of the target.

The commit is the only judge. A run that dies before it has changed nothing; one that dies after it has saved its
position. A zombie's transaction changes no position row, and is rolled back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
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
from airflow_legacy_events.core.sink.halving import Applied, apply_halved
from airflow_legacy_events.core.sink.reducing import reduced

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
        failure: why it was not committed; None if it was, or messages are guilty.
        unknown: whether it may have been committed although its answer was lost.
    """

    applied: Applied
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
        observers: called for every load and save.
        log: of the task.

    Attributes:
        tables: what became of the rows, by table.
    """

    def __init__(
        self,
        name: str,
        lease: Lease,
        *,
        target: Target,
        positions: PositionStore,
        dead_letters: DeadLetters | None = None,
        observers: Sequence[Observer] = (),
        log: logging.Logger | None = None,
    ) -> None:
        self._name, self._lease, self._target, self._positions = name, lease, target, positions
        self._dead_letters, self._observers = dead_letters, tuple(observers)
        self._log = log or logging.getLogger(__name__)
        self._facts: dict[str, Any] = {}
        self._saved: Watermark | None = None
        self._delivered = Delivered()
        self.tables: dict[str, Counts] = {}

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
        return self._saved

    def require(self, topics: Sequence[str]) -> MetTopics:  # noqa: ARG002  nothing is written to a topic
        """See `Delivery.require`."""
        return MetTopics()

    def begin(self, facts: Mapping[str, Any]) -> None:
        """See `Delivery.begin`."""
        self._facts = dict(facts)
        if self._saved is None:
            self._commit(Watermark(None, None, self._facts), lambda _: Applied({}))

    def acknowledge(self, mark: Watermark) -> None:
        """See `Delivery.acknowledge`; a topic leaves nothing to acknowledge."""

    def deliver(self, batch: Batch, messages: Any) -> None:
        """See `Delivery.deliver`."""
        changes: Changes | None = messages
        poison = () if changes is None else tuple(changes.poison)
        new = batch.watermark._replace(facts={**self._facts, **batch.watermark.facts})
        self._refuse(changes, poison)
        while (found := self._commit(new, partial(self._apply, changes, poison))).guilty:
            self._refuse(changes, found.guilty)
            poison += found.guilty
        self._count(batch, changes, poison, found)

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
            return {name: unit.apply(reduced(one, identity, within)) for name, one in tables.items()}

        return apply_halved(unit, places, some)

    def _commit(self, new: Watermark, apply: Callable[[Unit], Applied]) -> Applied:
        """Apply and save in one transaction, begun again after a deadlock or a lost connection.

        If messages are found guilty, nothing is committed.
        """
        self._lease.check()
        for observer in self._observers:
            observer.saving(new, self._delivered)
        unknown: Applied | None = None
        for left in reversed(range(TRIES)):
            outcome = self._transaction(new, apply)
            if outcome.failure is None:
                break
            if outcome.unknown:
                unknown = outcome.applied
            if unknown is not None and self._positions.load(self._name) == new:  # that transaction did take place
                outcome = _Outcome(unknown)
                break
            if not left or isinstance(outcome.failure, WatermarkError):
                raise self._given_up(outcome.failure) from None
        if not outcome.applied.guilty:
            self._keep(new)
        return outcome.applied

    def _transaction(self, new: Watermark, apply: Callable[[Unit], Applied]) -> _Outcome:
        """Run one transaction; a watermark that was moved meanwhile rolls it back."""
        found = Applied({})
        try:
            with self._target.transaction() as unit:
                found = apply(unit)
                if not found.guilty:
                    self._positions.save(unit, self._name, new, expected=self._saved)
                else:
                    unit.roll_back()
        except (TransactionLostError, WatermarkError) as error:
            return _Outcome(found, error)
        except OutcomeUnknownError as error:
            return _Outcome(found, error, unknown=True)
        except ObjectionError as error:
            raise TargetError(
                f"the target objected to the transaction of stream {self._name!r} only at COMMIT, and none of its"
                f" messages alone is the reason: {error.reason}. Nothing of the batch was applied"
            ) from None
        return _Outcome(found)

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
            f" of its batch was applied, and the position stays below it ({len(poison)} messages of the batch). Correct"
            " the cause, or name a dead_letter_topic, which such messages are passed to"
        )

    def _count(self, batch: Batch, changes: Changes | None, poison: Sequence[Poison], found: Applied) -> None:
        total = Counts()
        for name, one in found.counts.items():
            self.tables[name] = self.tables.get(name, Counts()).plus(one)
            total = total.plus(one)
        skipped = 0 if changes is None else changes.skipped + total.skipped
        events = batch.count - len(poison) - skipped
        size = 0 if changes is None else changes.bytes
        self._delivered = self._delivered.plus(Delivered(batch.count, events, len(poison), 1, size, skipped=skipped))


def _places(changes: Changes, poison: Sequence[Poison]) -> list[int]:
    """Return the places of the messages that mean something for a table, in order."""
    without = {one.place for one in poison}
    return sorted({at for one in changes.tables.values() for at in one.places} - without)
