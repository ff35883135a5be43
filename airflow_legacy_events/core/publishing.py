"""Publishing: batches are sent, then confirmed together; rejected rows go to the dead-letter topic or stay behind."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple

from airflow_legacy_events.core.dead_letters import dead_letters, timeless
from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.left_behind import LeftBehind
from airflow_legacy_events.core.model import Batch, Delivered, Messages, Rejection, Watermark
from airflow_legacy_events.core.ports import Broker, Source

SNAPSHOT, TRUNCATED = "r", "t"


class Sent(NamedTuple):
    """A batch that is published but not confirmed.

    Attributes:
        batch: of rows.
        messages: as they were published.
        refused: what was not sent, by the place of its row.
        leaves: whether rows that can't be delivered stay at the source.
    """

    batch: Batch
    messages: Messages
    refused: dict[int, Rejection]
    leaves: bool


class Publisher:
    """Publishes batches and confirms them, and counts what became of their rows.

    Args:
        source: of the batches.
        broker: already open.
        stream: named in dead letters.
        dead_letter_topic: where rejected messages go; None: a rejection fails the run.
        log: of the task.

    Attributes:
        delivered: counts of what was confirmed.
        left: the rows that stay at the source.
    """

    def __init__(
        self, source: Source, broker: Broker, *, stream: str, dead_letter_topic: str | None, log: logging.Logger
    ) -> None:
        self._source, self._broker, self._stream = source, broker, stream
        self._dead_letter_topic, self._log = dead_letter_topic, log
        self._sent: list[Sent] = []
        self._passed: set[str | None] = set()
        self.delivered = Delivered()
        self.left = LeftBehind()

    def publish(self, batch: Batch, messages: Messages) -> None:
        """Publish a batch. Of a row that is known to be undeliverable, no message is sent.

        Raises:
            DeliveryError: messages can't be enqueued.
            SourceError: the lock is lost.
        """
        if messages.everywhere:
            messages = messages.spread(self._broker.partitions)
        refused = _by_row(messages, (*messages.refused, *self._broker.refused(messages)))
        leaves = not self._sent and self._may_leave(batch)
        without = self.left.places(batch, _of_rows(refused)) if leaves else refused.keys()
        self._broker.publish(messages, messages.places_of(without))
        self._sent.append(Sent(batch, messages, refused, leaves))

    def confirm(self, last: Batch) -> Watermark:
        """Confirm everything published since the last call; return the watermark after the delivered rows.

        Args:
            last: the last of these batches, or an empty one behind them; it has the watermark.

        Raises:
            DeliveryError: rows were rejected and there is no dead-letter topic, or the fate of a message is unknown.
        """
        sent, self._sent = self._sent, []
        confirmed = _by_batch(sent, self._broker.confirm() if sent else ())
        if sent and sent[0].leaves:
            return self._leave(sent[0], confirmed[0])
        undelivered = [{**late, **one.refused} for one, late in zip(sent, confirmed, strict=True)]
        for one, found in zip(sent, undelivered, strict=True):
            self._count_events(one, found.keys())
        for one, found in zip(sent, undelivered, strict=True):
            passed = one.batch.passing and self._dead_letter_topic is None
            if found:
                (self._pass if passed else self._bury)(one, [found[row] for row in sorted(found)])
            rejected, skipped = (0, len(found)) if passed else (len(found), 0)
            self._count(Delivered(len(found), rejected=rejected, skipped=skipped, batches=1))
        return last.watermark

    def _may_leave(self, batch: Batch) -> bool:
        """Whether a row that can't be delivered may stay at the source, rather than end the run."""
        if self._dead_letter_topic is not None or batch.after is None:
            return False
        return self._source.without(batch, frozenset()) is not None

    def _leave(self, sent: Sent, rejected: dict[int, Rejection]) -> Watermark:
        """Return the watermark after a batch without its undeliverable rows and the rows after them in their group.

        When the broker rejects a message, later messages of its group may already be on the topic. Their rows stay at
        the source too, and are sent again after it.
        """
        batch = sent.batch
        left = self.left.places(batch, _of_rows({**rejected, **sent.refused}))
        self.left.count(len(left))
        self._count_events(sent, left)
        self._count(Delivered(len(left), skipped=len(left), batches=1))
        return (self._source.without(batch, left) if left else None) or batch.watermark

    def _count_events(self, sent: Sent, without: AbstractSet[int]) -> None:
        events, messages = sent.batch.count - len(without), sent.messages
        size = messages.size(messages.places_of(without))
        self._count(Delivered(events, events, bytes=size, topics=messages.by_topic(without)))

    def _count(self, more: Delivered) -> None:
        self.delivered = self.delivered.plus(more)

    def _pass(self, sent: Sent, rejections: Sequence[Rejection]) -> None:
        """Leave rejected rows out for good, with one warning for each table."""
        table = sent.batch.shape.table
        if table not in self._passed:
            self._passed.add(table)
            self._log.warning("table %r: %s; passed, since it is read again", table, _found(sent, rejections))

    def _bury(self, sent: Sent, rejections: Sequence[Rejection]) -> None:
        batch, messages, found = sent.batch, sent.messages, _found(sent, rejections)
        if self._dead_letter_topic is None:
            raise DeliveryError(
                f"{found}. Nothing was skipped and the watermark stays below them: {_remedy(batch)}, or name a"
                f" dead_letter_topic={_passing(batch)}",
                rejected=rejections,
            )
        self._log.warning("%s; sending them to %s", found, self._dead_letter_topic)
        letters = dead_letters(self._dead_letter_topic, self._stream, batch, messages, rejections)
        self._broker.publish(timeless(letters, self._broker.refused(letters)))
        if refused := self._broker.confirm():
            raise DeliveryError(
                f"{found}. The dead-letter topic {self._dead_letter_topic!r} rejected {len(refused)} of them too:"
                f" {refused[0].error}: {refused[0].reason}. Raise its max.message.bytes",
                rejected=refused,
            )


def _found(sent: Sent, rejections: Sequence[Rejection]) -> str:
    messages, first = sent.messages, rejections[0]
    where = f" by topic {messages.topic!r}" if messages.topics is None else ""  # row topics are row content
    return (
        f"{len(rejections)} of {sent.batch.count} messages were rejected{where}; first: message"
        f" {messages.row_of(first.index)} of the batch, {first.error}: {first.reason}"
    )


def _remedy(batch: Batch) -> str:
    """Return what to do about a row that can't be delivered; the rows of an outbox have a payload."""
    if "payload" in batch.shape.roles:
        return "fix the row or whatever rejects it"
    return "raise the topic's limit, leave the column out with exclude_columns="


def _passing(batch: Batch) -> str:
    """Return how to pass what a log holds, as a line of its own; rows of a snapshot can't be passed."""
    if "prefix" in batch.shape.roles:
        return ".\nWith dead_letter_topic= such messages are sent there, and the run continues"
    if batch.shape.table is None or batch.op == SNAPSHOT:
        return ""
    if batch.op == TRUNCATED:
        return (
            ".\nThe event of a truncation has no key: set on_truncate='skip', or cleanup.policy=delete on the topic."
            f" With 'skip' the topic keeps what was removed from table {batch.shape.table!r}"
        )
    configuration = json.dumps({"snapshot": [batch.shape.table]}, ensure_ascii=False)
    return f".\nTo pass them and read the table again, run with the configuration {configuration}"


def _by_row(messages: Messages, rejections: Iterable[Rejection]) -> dict[int, Rejection]:
    """Return the first rejection of each row, by the row's place; its index remains that of the message."""
    found: dict[int, Rejection] = {}
    for one in rejections:
        found.setdefault(messages.row_of(one.index), one)
    return found


def _of_rows(rejections: dict[int, Rejection]) -> list[Rejection]:
    return [one if one.index == row else replace(one, index=row) for row, one in rejections.items()]


def _by_batch(sent: Sequence[Sent], rejections: Sequence[Rejection]) -> list[dict[int, Rejection]]:
    """Return the rejected rows of each batch; the rejections count messages over all of them."""
    found, first = [], 0
    for one in sent:
        end = first + len(one.messages.values)
        own = [replace(late, index=late.index - first) for late in rejections if first <= late.index < end]
        found.append(_by_row(one.messages, own))
        first = end
    return found
